// What the cache in a Redis server tells of itself: how many answers, what clearing came to, and
// why the server cannot be used.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "aifd/base/hex.hpp"
#include "aifd/services/redis_store.hpp"
#include "aifd/services/wait_for.hpp"
#include "log.hpp"
#include "loop.hpp"
#include "redis_process.hpp"
#include "services/cache_samples.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatient = 1min;

class RedisStoreReport : public testing::Test {
 protected:
  static RedisStoreOptions patient() {
    RedisStoreOptions options;
    options.budget = kPatient;
    options.count_budget = kPatient;
    options.drain = kPatient;
    return options;
  }

  void fill(unsigned count) const {
    for (unsigned i = 0; i < count; ++i) {
      redis_.ask({"SET", "aifd:cache:1:" + hex(cache_key(i)), "x"});
    }
    for (const std::string_view other : {"aifd:limit:1", "aifd:cache:10:x", "xaifd:cache:1:x"}) {
      redis_.ask({"SET", other, "kept"});
    }
  }

  // What stat() says of a get that was in vain.
  std::string trouble_at(const config::RedisUrl& url, RedisStoreOptions options = patient()) {
    RedisStore store(url, options);
    const CacheKey key = cache_key(1);
    EXPECT_EQ(loop_.run(store.get(key)), nullptr);
    return store.stat().trouble;
  }

  test::RedisProcess redis_{"s3cret"};
  test::Log log_;
  test::Loop loop_;
};

TEST_F(RedisStoreReport, CountsItsAnswersAndNothingElse) {
  RedisStore store(redis_.url(), patient());
  EXPECT_EQ(loop_.run(store.measure()).entries, 0U);
  fill(1200);
  const CacheStat stat = loop_.run(store.measure());
  EXPECT_EQ(stat.entries, 1200U);
  EXPECT_FALSE(stat.bytes);
  EXPECT_EQ(stat.trouble, "");
  EXPECT_EQ(stat.hits + stat.misses, 0U);
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreReport, ACountThatTakesTooLongIsNotKnown) {
  fill(1200);
  RedisStoreOptions options = patient();
  options.count_budget = 0ms;
  RedisStore store(redis_.url(), options);
  const CacheStat stat = loop_.run(store.measure());
  EXPECT_FALSE(stat.entries);
  EXPECT_EQ(stat.trouble, "");
}

TEST_F(RedisStoreReport, ClearsAndTellsHowMany) {
  fill(1200);
  RedisStore store(redis_.url(), patient());
  const CacheClearing clearing = loop_.run(store.clear_and_tell());
  EXPECT_EQ(clearing.trouble, "");
  EXPECT_EQ(clearing.entries, 1200U);
  EXPECT_EQ(redis_.ask({"DBSIZE"}).integer, 3);
  EXPECT_EQ(loop_.run(store.clear_and_tell()).entries, 0U);
  EXPECT_EQ(loop_.run(store.measure()).entries, 0U);
}

TEST_F(RedisStoreReport, WhatWasPutBeforeIsNotThereAfterwards) {
  RedisStore store(redis_.url(), patient());
  for (unsigned i = 0; i < 300; ++i) store.put(cache_key(i), cache_answer("a"));
  EXPECT_EQ(loop_.run(store.clear_and_tell()).trouble, "");
  EXPECT_EQ(redis_.ask({"DBSIZE"}).integer, 0);
}

TEST_F(RedisStoreReport, TellsThatItCouldNotClear) {
  fill(1);
  RedisStore store(redis_.url(), patient());
  redis_.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
  const CacheClearing refused = loop_.run(store.clear_and_tell());
  EXPECT_TRUE(refused.trouble.starts_with("NOREPLICAS")) << refused.trouble;
  redis_.kill();
  const CacheClearing away = loop_.run(store.clear_and_tell());
  EXPECT_NE(away.trouble, "");
  EXPECT_EQ(log_.count("could not be cleared: "), 2U) << log_.text();
}

TEST_F(RedisStoreReport, WhoWaitsForAClearingHearsThatTheStoreEnded) {
  RedisStoreOptions options = patient();
  options.drain = 1ms;
  auto store = std::make_unique<RedisStore>(redis_.url(), options);
  const CacheKey key = cache_key(1);
  loop_.run(store->get(key));
  redis_.freeze();
  const auto pending = loop_.start(store->clear_and_tell());
  {
    test::Loop ends_first;
    ends_first.start(store->clear_and_tell());
    ends_first.start(store->measure());
    ends_first.poll();
  }
  loop_.poll();
  EXPECT_FALSE(pending->has_value());
  store.reset();
  loop_.run_until([&] { return pending->has_value(); });
  EXPECT_EQ((*pending)->trouble, "aifd ended before it was cleared");
  redis_.wake();
}

TEST_F(RedisStoreReport, NobodyListensThere) {
  config::RedisUrl url = redis_.url();
  url.port = test::free_port();
  EXPECT_EQ(trouble_at(url), "Connection refused");
  RedisStore store(url, patient());
  const CacheStat stat = loop_.run(store.measure());
  EXPECT_FALSE(stat.entries);
  EXPECT_EQ(stat.trouble, "Connection refused");
}

TEST_F(RedisStoreReport, ItsRefusalsHoldNoSecret) {
  config::RedisUrl url = redis_.url();
  url.password = Secret("wr0ng");
  EXPECT_EQ(trouble_at(url), "it does not accept the user or password: WRONGPASS");
  url.password = Secret();
  EXPECT_EQ(trouble_at(url), "NOAUTH Authentication required.");
  url = redis_.url();
  url.database = 999;
  EXPECT_EQ(trouble_at(url), "no database 999: ERR DB index is out of range");
}

TEST_F(RedisStoreReport, WhatItMayNotDoUntilItMay) {
  redis_.ask({"ACL", "SETUSER", "other", "on", ">pass", "~*", "+@all", "-getrange"});
  config::RedisUrl url = redis_.url();
  url.user = "other";
  url.password = Secret("pass");
  RedisStore store(url, patient());
  const CacheKey key = cache_key(1);
  EXPECT_EQ(store.stat().trouble, "");
  loop_.run(store.get(key));
  const std::string trouble = store.stat().trouble;
  EXPECT_TRUE(trouble.starts_with("it does not do what it is asked: NOPERM ")) << trouble;
  redis_.ask({"ACL", "SETUSER", "other", "+getrange"});
  loop_.run(store.get(key));
  EXPECT_EQ(store.stat().trouble, "");
}

TEST_F(RedisStoreReport, ItIsFrozenUntilItWakes) {
  RedisStoreOptions options = patient();
  options.budget = 200ms;
  RedisStore store(redis_.url(), options);
  const CacheKey key = cache_key(1);
  loop_.run_until([&] {
    loop_.run(store.get(key));
    return store.stat().trouble.empty();
  });
  redis_.freeze();
  loop_.run(store.get(key));
  EXPECT_EQ(store.stat().trouble, "no reply within 200 ms");
  redis_.wake();
  loop_.run_until([&] { return store.stat().trouble.empty(); });
}

TEST_F(RedisStoreReport, ToldElsewhereTheLogStaysEmpty) {
  test::Told told;
  RedisStoreOptions options = patient();
  options.warn = told.receiver();
  config::RedisUrl url = redis_.url();
  RedisStore store(url, options);
  const CacheKey key = cache_key(1);
  loop_.run(store.get(key));
  redis_.kill();
  loop_.run_until([&] { return told.count("does not answer") == 1; });
  redis_.start();
  loop_.run_until([&] { return store.stat().trouble.empty(); });
  redis_.ask({"SET", "aifd:cache:1:" + hex(key), "garbage"});
  loop_.run_until([&] {
    loop_.run(store.get(key));
    return told.count("holds a record that is damaged") == 1;
  });
  EXPECT_EQ(log_.text(), "");
}

TEST_F(RedisStoreReport, WithoutALoopOnesOwn) {
  RedisStore store(redis_.url(), patient());
  EXPECT_EQ(get_and_wait(store, cache_key(1)), nullptr);
  EXPECT_EQ(wait_for(store.measure()).entries, 0U);
}

}  // namespace
}  // namespace aifd::services
