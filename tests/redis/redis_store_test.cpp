// The cache in a Redis server that works, is full, sleeps and dies.
#include "aifd/services/redis_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <limits>
#include <thread>

#include "aifd/base/clock.hpp"
#include "aifd/base/hex.hpp"
#include "aifd/services/cache_entry_codec.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "redis_process.hpp"
#include "services/cache_samples.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatient = 1min;  // a budget that no machine is too slow for

const CacheKey kKey = cache_key(1);

std::string name_of(const CacheKey& key) {
  return "aifd:cache:1:" + hex(key);
}

class RedisStoreTest : public testing::Test {
 protected:
  static RedisStoreOptions patient() {
    RedisStoreOptions options;
    options.budget = kPatient;
    options.drain = kPatient;
    return options;
  }

  CacheEntryPtr get(RedisStore& store, const CacheKey& key) { return loop_.run(store.get(key)); }

  // Gets until there is an answer, as the requests of a daemon would.
  CacheEntryPtr get_until_found(RedisStore& store, const CacheKey& key) {
    CacheEntryPtr entry;
    loop_.run_until([&] { return (entry = get(store, key)) != nullptr; });
    return entry;
  }

  void put(RedisStore& store, const CacheKey& key, CacheEntryPtr entry) {
    const CacheStat before = store.stat();
    store.put(key, std::move(entry));
    loop_.run_until([&] {
      const CacheStat now = store.stat();
      return now.stored + now.dropped > before.stored + before.dropped;
    });
  }

  void set(const CacheKey& key, std::string_view record) const {
    redis_.ask({"SET", name_of(key), record});
  }

  test::RedisProcess redis_;
  test::Log log_;
  test::Loop loop_;
};

TEST_F(RedisStoreTest, GivesWhatWasPut) {
  RedisStoreOptions options = patient();
  options.wall_clock = [] { return cache_sample().stored_at + 100; };
  RedisStore store(redis_.url(), options);
  store.start_on(loop_.executor());
  const CacheKey key = cache_key(1);
  EXPECT_EQ(get(store, key), nullptr);
  put(store, key, std::make_shared<CacheEntry>(cache_sample()));
  ASSERT_NE(get(store, key), nullptr);
  EXPECT_EQ(*get(store, key), cache_sample());
  EXPECT_EQ(get(store, cache_key(2)), nullptr);
  put(store, key, cache_answer("another"));
  EXPECT_EQ(get(store, key)->body, "another");
  const CacheStat stat = store.stat();
  EXPECT_FALSE(stat.entries);
  EXPECT_EQ(stat.hits, 3U);
  EXPECT_EQ(stat.misses, 2U);
  EXPECT_EQ(stat.stored, 2U);
  EXPECT_EQ(stat.away + stat.dropped + stat.evicted, 0U);
  EXPECT_FALSE(stat.bytes);
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreTest, LetsRedisDropWhatExpires) {
  std::atomic<std::int64_t> now = 5000;
  RedisStoreOptions options = patient();
  options.wall_clock = [&now] { return now.load(); };
  RedisStore store(redis_.url(), options);
  put(store, cache_key(1), cache_answer("a", 5600));
  const std::int64_t left = redis_.ask({"TTL", name_of(cache_key(1))}).integer;
  EXPECT_GT(left, 500);
  EXPECT_LE(left, 600);
  put(store, cache_key(2), cache_answer("never"));
  EXPECT_EQ(redis_.ask({"TTL", name_of(cache_key(2))}).integer, -1);
  put(store, cache_key(3), cache_answer("late", 5000));
  EXPECT_EQ(store.stat().dropped, 1U);
  put(store, cache_key(4), cache_answer("far", std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(get(store, cache_key(4))->body, "far");
  EXPECT_EQ(get(store, cache_key(1))->body, "a");
  now = 5600;  // whatever the server's clock says
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  EXPECT_EQ(get(store, cache_key(2))->body, "never");
}

TEST_F(RedisStoreTest, IsSharedByDaemonsAndTheirLoops) {
  constexpr unsigned kEach = 20;
  RedisStore first(redis_.url(), patient());
  RedisStore second(redis_.url(), patient());
  std::atomic<unsigned> wrong = 0;
  const auto serve = [&](RedisStore& writes, RedisStore& reads, unsigned begin) {
    test::Loop loop;
    for (unsigned i = begin; i < begin + kEach; ++i) {
      writes.put(cache_key(i), cache_answer(std::to_string(i)));
      CacheEntryPtr entry;
      loop.run_until([&] { return (entry = loop.run(reads.get(cache_key(i)))) != nullptr; });
      if (entry->body != std::to_string(i)) ++wrong;
    }
  };
  std::thread one([&] { serve(first, second, 0); });
  std::thread two([&] { serve(first, second, 1000); });
  std::thread three([&] { serve(second, first, 2000); });
  for (std::thread* thread : {&one, &two, &three}) thread->join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(first.stat().hits, kEach);
  EXPECT_EQ(second.stat().hits, 2 * kEach);
}

TEST_F(RedisStoreTest, TakesNoDamageForAnAnswer) {
  RedisStore store(redis_.url(), patient());
  const CacheKey key = cache_key(1);
  const std::string record = encode_cache_entry(key, *cache_answer("right"));
  std::string flipped = record;
  flipped[record.size() / 2] ^= 1;
  std::string next_version = record;
  ++next_version[8];
  const std::string of_another = encode_cache_entry(cache_key(2), *cache_answer("wrong"));
  for (const std::string& damaged :
       {flipped, next_version, of_another, record.substr(0, record.size() - 1), record + "x",
        std::string("x"), std::string(5000, '\0')}) {
    set(key, damaged);
    EXPECT_EQ(get(store, key), nullptr);
  }
  EXPECT_EQ(store.stat().misses, 7U);
  EXPECT_EQ(store.stat().away, 0U);
  EXPECT_EQ(log_.count("the answer cache, Redis at 127.0.0.1:"), 1U) << log_.text();
  EXPECT_EQ(log_.count("holds a record that is damaged, or not of this version"), 1U);
  set(key, "");
  EXPECT_EQ(get(store, key), nullptr);
  set(key, record);
  EXPECT_EQ(get(store, key)->body, "right");
}

TEST_F(RedisStoreTest, ReplacesWhatIsNoString) {
  RedisStore store(redis_.url(), patient());
  const CacheKey key = cache_key(1);
  redis_.ask({"LPUSH", name_of(key), "x"});
  EXPECT_EQ(get(store, key), nullptr);
  EXPECT_EQ(log_.count("holds a record that is damaged"), 1U) << log_.text();
  EXPECT_EQ(log_.count("WRONGTYPE"), 0U);
  put(store, key, cache_answer("right"));
  EXPECT_EQ(get(store, key)->body, "right");
}

TEST_F(RedisStoreTest, ServesTheLargestAnswersSideBySide) {
  RedisStoreOptions options = patient();
  RedisStore store(redis_.url(), options);
  const std::size_t size = options.max_entry_bytes - 1000;
  for (unsigned i = 0; i < 4; ++i) {
    put(store, cache_key(i), cache_answer(std::string(size, static_cast<char>('a' + i))));
  }
  put(store, cache_key(9), cache_answer("small"));
  std::vector<test::Loop::Pending<CacheEntryPtr>> gets;
  const std::array<CacheKey, 4> keys{cache_key(0), cache_key(1), cache_key(2), cache_key(3)};
  for (const CacheKey& key : keys) gets.push_back(loop_.start(store.get(key)));
  EXPECT_EQ(get(store, cache_key(9))->body, "small");
  for (unsigned i = 0; i < 4; ++i) {
    ASSERT_TRUE(gets[i]->has_value());
    ASSERT_NE(**gets[i], nullptr);
    EXPECT_TRUE((**gets[i])->body == std::string(size, static_cast<char>('a' + i))) << i;
  }
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreTest, NeitherStoresNorReadsMoreThanItMay) {
  RedisStoreOptions small = patient();
  small.max_entry_bytes = 4096;
  RedisStore store(redis_.url(), small);
  put(store, cache_key(1), cache_answer(std::string(4096, 'x')));
  EXPECT_EQ(store.stat().dropped, 1U);
  RedisStore another(redis_.url(), patient());
  put(another, cache_key(2), cache_answer(std::string(5'000'000, 'x')));
  EXPECT_EQ(get(store, cache_key(2)), nullptr);
  put(store, cache_key(3), cache_answer("small"));
  EXPECT_EQ(get(store, cache_key(3))->body, "small");
  EXPECT_EQ(get(another, cache_key(2))->body.size(), 5'000'000U);
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreTest, AServerThatIsFullIsStillRead) {
  RedisStore store(redis_.url(), patient());
  put(store, cache_key(1), cache_answer("kept"));
  redis_.ask({"CONFIG", "SET", "maxmemory", "1"});
  put(store, cache_key(2), cache_answer("a"));
  put(store, cache_key(3), cache_answer("b"));
  EXPECT_EQ(get(store, cache_key(1))->body, "kept");
  EXPECT_EQ(get(store, cache_key(2)), nullptr);
  EXPECT_EQ(store.stat().dropped, 2U);
  EXPECT_EQ(store.stat().away, 0U);
  EXPECT_EQ(log_.count("cannot be written, answers are not kept: OOM"), 1U) << log_.text();
  redis_.ask({"CONFIG", "SET", "maxmemory", "0"});
  put(store, cache_key(2), cache_answer("a"));
  EXPECT_EQ(get(store, cache_key(2))->body, "a");
}

TEST_F(RedisStoreTest, SaysThatItMayNotRead) {
  redis_.ask({"ACL", "SETUSER", "writer", "on", ">secret", "~*", "+@all", "-getrange"});
  config::RedisUrl url = redis_.url();
  url.user = "writer";
  url.password = Secret("secret");
  RedisStore store(url, patient());
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  EXPECT_EQ(store.stat().away, 2U);
  EXPECT_EQ(log_.count("does not do what it is asked (NOPERM"), 1U) << log_.text();
  EXPECT_EQ(log_.count("answers are not cached until it does"), 1U) << log_.text();
}

TEST_F(RedisStoreTest, AFrozenServerCostsOneBudgetAndIsUsedAgainOnceItWakes) {
  RedisStoreOptions options;
  RedisStore store(redis_.url(), options);
  loop_.run_until([&] {
    put(store, cache_key(1), cache_answer("a"));
    return store.stat().stored > 0;
  });
  get_until_found(store, cache_key(1));
  redis_.freeze();
  const std::uint64_t before = store.stat().away;
  const auto started = Clock::now();
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  EXPECT_GE(Clock::now() - started, options.budget);
  for (int i = 0; i < 3; ++i) {
    const auto pending = loop_.start(store.get(kKey));
    loop_.poll();
    ASSERT_TRUE(pending->has_value());
    EXPECT_EQ(**pending, nullptr);
  }
  EXPECT_EQ(store.stat().away, before + 4);
  EXPECT_GE(log_.count("does not answer (no reply within 100 ms); answers are not cached until"),
            1U)
      << log_.text();
  redis_.wake();
  EXPECT_EQ(get_until_found(store, cache_key(1))->body, "a");
}

TEST_F(RedisStoreTest, DropsWhatAFrozenServerLeavesInTheQueue) {
  RedisStoreOptions options = patient();
  options.budget = 1s;
  options.write_budget = 1500ms;
  options.max_queued_bytes = 3'500'000;
  options.drain = 0ms;
  RedisStore store(redis_.url(), options);
  put(store, cache_key(1), cache_answer("a"));
  redis_.freeze();
  for (unsigned i = 0; i < 10; ++i) {
    store.put(cache_key(2), cache_answer(std::string(1'000'000, 'x')));
  }
  EXPECT_EQ(store.stat().dropped, 7U);
  // The three that wait are given up with the connection, and then there is room again.
  loop_.run_until([&] { return store.stat().dropped == 10; });
  EXPECT_EQ(log_.count("does not answer (no reply within 1500 ms)"), 1U) << log_.text();
  put(store, cache_key(2), cache_answer("away"));
  EXPECT_EQ(store.stat().dropped, 11U);
  redis_.wake();
  loop_.run_until([&] {
    put(store, cache_key(2), cache_answer("back"));
    return store.stat().stored == 2;
  });
  EXPECT_EQ(get(store, cache_key(2))->body, "back");
}

TEST_F(RedisStoreTest, AServerThatDiedIsUsedAgainOnceItIsBack) {
  RedisStore store(redis_.url(), patient());
  put(store, cache_key(1), cache_answer("a"));
  EXPECT_NE(get(store, cache_key(1)), nullptr);
  redis_.kill();
  loop_.run_until([&] { return log_.count("does not answer") == 1; });
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  put(store, cache_key(1), cache_answer("lost"));
  EXPECT_EQ(store.stat().stored, 1U);
  redis_.start();
  loop_.run_until([&] {
    put(store, cache_key(1), cache_answer("b"));
    return store.stat().stored == 2;
  });
  EXPECT_EQ(get_until_found(store, cache_key(1))->body, "b");
  EXPECT_EQ(log_.count("does not answer"), 1U) << log_.text();
  EXPECT_EQ(log_.count("answers again"), 1U) << log_.text();
}

TEST_F(RedisStoreTest, NobodyListening) {
  config::RedisUrl url = redis_.url();
  url.port = test::free_port();
  RedisStore store(url, patient());
  EXPECT_EQ(get(store, cache_key(1)), nullptr);
  put(store, cache_key(1), cache_answer("a"));
  EXPECT_EQ(store.stat().dropped, 1U);
  EXPECT_FALSE(store.looking_up());
  EXPECT_EQ(log_.count("does not answer (Connection refused); answers are not cached until"), 1U)
      << log_.text();
}

TEST_F(RedisStoreTest, ClearsItsAnswersAndNothingElse) {
  RedisStore store(redis_.url(), patient());
  for (unsigned i = 0; i < 1200; ++i) store.put(cache_key(i), cache_answer("a"));
  loop_.run_until([&] { return store.stat().stored == 1200; });
  for (const std::string_view other : {"aifd:limit:1", "aifd:cache:10:x", "xaifd:cache:1:x"}) {
    redis_.ask({"SET", other, "kept"});
  }
  store.put(cache_key(5000), cache_answer("a"));
  store.clear();
  loop_.run_until([&] { return redis_.ask({"DBSIZE"}).integer == 3; });
  EXPECT_EQ(get(store, cache_key(7)), nullptr);
  put(store, cache_key(7), cache_answer("new"));
  EXPECT_EQ(get(store, cache_key(7))->body, "new");
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreTest, SaysThatItCouldNotClear) {
  RedisStore store(redis_.url(), patient());
  put(store, cache_key(1), cache_answer("a"));
  redis_.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  store.clear();
  loop_.run_until([&] { return log_.count("could not be cleared: NOREPLICAS") == 1; });
  EXPECT_NE(get(store, cache_key(1)), nullptr);
}

TEST_F(RedisStoreTest, WritesWhatIsQueuedBeforeItEnds) {
  for (unsigned i = 0; i < 200; i += 100) {
    RedisStore store(redis_.url(), patient());
    for (unsigned j = i; j < i + 100; ++j) {
      store.put(cache_key(j), cache_answer(std::string(10'000, 'a')));
    }
  }
  EXPECT_EQ(redis_.ask({"DBSIZE"}).integer, 200);
  {
    RedisStore store(redis_.url(), patient());
    store.clear();
  }
  EXPECT_EQ(redis_.ask({"DBSIZE"}).integer, 0);
}

TEST_F(RedisStoreTest, MayEndWhateverWaits) {
  RedisStoreOptions options = patient();
  options.drain = 1ms;
  auto store = std::make_unique<RedisStore>(redis_.url(), options);
  put(*store, cache_key(1), cache_answer("a"));
  get(*store, cache_key(1));
  redis_.freeze();
  test::Loop::Pending<CacheEntryPtr> pending;
  {
    test::Loop ends_first;
    pending = ends_first.start(store->get(kKey));
    ends_first.poll();
  }
  EXPECT_FALSE(pending->has_value());
  pending = loop_.start(store->get(kKey));
  loop_.poll();
  store->put(cache_key(1), cache_answer("b"));
  store->clear();
  store.reset();
  EXPECT_FALSE(pending->has_value());
  redis_.wake();
  loop_.run_until([&] { return pending->has_value(); });
  EXPECT_NE(**pending, nullptr);
}

TEST(RedisStoreOptions, RefuseTlsWithoutTls) {
  config::RedisUrl url;
  url.tls = true;
  EXPECT_THROW(RedisStore(url, {}), std::invalid_argument);
}

}  // namespace
}  // namespace aifd::services
