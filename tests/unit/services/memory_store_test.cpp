#include "aifd/services/memory_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cache_samples.hpp"
#include "support/run_task.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

CacheEntryPtr find(CacheStore& store, unsigned number) {
  return *store.try_get(cache_key(number));
}

std::size_t cost(const CacheEntryPtr& entry) {
  return memory_bytes(*entry) + MemoryStore::kOverheadBytes;
}

TEST(MemoryStore, AnswersWithWhatWasPut) {
  MemoryStore store({});
  const CacheEntryPtr entry = cache_answer("hello");
  EXPECT_EQ(find(store, 1), nullptr);
  store.put(cache_key(1), entry);
  EXPECT_EQ(find(store, 1), entry);  // the same, not a copy
  EXPECT_EQ(find(store, 2), nullptr);
  EXPECT_EQ(test::run_task(store.get(cache_key(2))), nullptr);
  EXPECT_EQ(test::run_task(store.get(cache_key(1))), entry);
  const CacheStat stat = store.stat();
  EXPECT_EQ(stat.hits, 2U);
  EXPECT_EQ(stat.misses, 1U) << "get() alone counts them";
  EXPECT_EQ(stat.entries, 1U);
  EXPECT_EQ(stat.bytes, cost(entry));
}

TEST(MemoryStore, CountsWhatTheHeapTakes) {
  const std::string name(100, 'n');
  CacheEntry entry;
  const std::size_t empty = memory_bytes(entry);
  entry.body.assign(1000, 'x');
  EXPECT_GE(memory_bytes(entry), empty + 1000);
  entry.fields.push_back({name, name});
  EXPECT_GE(memory_bytes(entry), empty + 1200 + sizeof(CacheField));
  entry.rhythm.resize(10);
  EXPECT_GE(memory_bytes(entry), empty + 1200 + sizeof(CacheField) + 10 * sizeof(StreamBeat));
}

TEST(MemoryStore, ReplacesAnEntry) {
  MemoryStore store({});
  store.put(cache_key(1), cache_answer(std::string(5000, 'a')));
  const CacheEntryPtr second = cache_answer("b");
  store.put(cache_key(1), second);
  EXPECT_EQ(find(store, 1), second);
  EXPECT_EQ(store.stat().entries, 1U);
  EXPECT_EQ(store.stat().bytes, cost(second));
}

TEST(MemoryStore, LetsTheLeastRecentlyUsedGoFirstOverAllShards) {
  const std::size_t one = cost(cache_answer(std::string(1000, 'x')));
  MemoryStore store({.max_bytes = 20 * one, .max_entry_bytes = kNoLimit});
  for (unsigned i = 0; i < 20; ++i) store.put(cache_key(i), cache_answer(std::string(1000, 'x')));
  EXPECT_EQ(store.stat().entries, 20U);
  EXPECT_EQ(store.stat().bytes, 20 * one);
  ASSERT_TRUE(find(store, 0));  // used again: 1 is the oldest now
  for (unsigned i = 20; i < 23; ++i) store.put(cache_key(i), cache_answer(std::string(1000, 'x')));
  EXPECT_TRUE(find(store, 0));
  for (unsigned i = 1; i < 4; ++i) EXPECT_FALSE(find(store, i)) << i;
  for (unsigned i = 4; i < 23; ++i) EXPECT_TRUE(find(store, i)) << i;
  EXPECT_EQ(store.stat().evicted, 3U);
  EXPECT_LE(store.stat().bytes, 20 * one);
}

TEST(MemoryStore, MakesRoomForALargeEntry) {
  const std::size_t one = cost(cache_answer(std::string(1000, 'x')));
  MemoryStore store({.max_bytes = 10 * one, .max_entry_bytes = kNoLimit});
  for (unsigned i = 0; i < 10; ++i) store.put(cache_key(i), cache_answer(std::string(1000, 'x')));
  store.put(cache_key(10), cache_answer(std::string(5000, 'x')));
  EXPECT_TRUE(find(store, 10));
  EXPECT_TRUE(find(store, 9));
  EXPECT_FALSE(find(store, 0));
}

TEST(MemoryStore, KeepsToItsLimitsToTheByte) {
  const CacheEntryPtr entry = cache_answer(std::string(1000, 'x'));
  MemoryStore fits({.max_bytes = cost(entry), .max_entry_bytes = memory_bytes(*entry)});
  fits.put(cache_key(1), entry);
  EXPECT_TRUE(find(fits, 1));
  MemoryStore small({.max_bytes = cost(entry) - 1, .max_entry_bytes = kNoLimit});
  small.put(cache_key(1), entry);
  EXPECT_FALSE(find(small, 1));
  EXPECT_EQ(small.stat().dropped, 1U);
  EXPECT_EQ(small.stat().bytes, 0U);
  MemoryStore narrow({.max_bytes = kNoLimit, .max_entry_bytes = memory_bytes(*entry) - 1});
  narrow.put(cache_key(1), entry);
  EXPECT_FALSE(find(narrow, 1));
  MemoryStore nothing({.max_bytes = 0, .max_entry_bytes = kNoLimit});
  nothing.put(cache_key(1), entry);
  EXPECT_FALSE(find(nothing, 1));
}

TEST(MemoryStore, ForgetsWhatHasExpired) {
  std::int64_t now = 100;
  MemoryStore store({}, [&now] { return now; });
  store.put(cache_key(1), cache_answer("a", 110));
  store.put(cache_key(2), cache_answer("b"));
  now = 109;
  EXPECT_TRUE(find(store, 1));
  now = 110;
  EXPECT_FALSE(find(store, 1));
  EXPECT_TRUE(find(store, 2));
  EXPECT_EQ(store.stat().entries, 1U);
}

TEST(MemoryStore, ClearsItself) {
  MemoryStore store({});
  for (unsigned i = 0; i < 100; ++i) store.put(cache_key(i), cache_answer("x"));
  store.clear();
  EXPECT_EQ(store.stat().entries, 0U);
  EXPECT_EQ(store.stat().bytes, 0U);
  EXPECT_FALSE(find(store, 1));
  store.put(cache_key(1), cache_answer("x"));
  EXPECT_TRUE(find(store, 1));
}

TEST(MemoryStore, LeavesAnEntryToWhomItAnswers) {
  const CacheEntryPtr small = cache_answer("x");
  MemoryStore store({.max_bytes = cost(small), .max_entry_bytes = kNoLimit});
  store.put(cache_key(1), small);
  const CacheEntryPtr held = find(store, 1);
  store.put(cache_key(2), cache_answer("y"));
  EXPECT_FALSE(find(store, 1));
  EXPECT_EQ(held->body, "x");
}

TEST(MemoryStore, KeepsItsBoundWhileManyThreadsUseIt) {
  const std::size_t one = cost(cache_answer(std::string(500, 'x')));
  const std::size_t bound = 40 * one;
  MemoryStore store({.max_bytes = bound, .max_entry_bytes = kNoLimit});
  std::atomic<bool> over{false};
  std::atomic<bool> wrong{false};
  const auto work = [&](unsigned seed) {
    for (unsigned i = 0; i < 4000; ++i) {
      const unsigned number = (i * 7 + seed * 13) % 200;
      if (i % 3 == 0) {
        store.put(cache_key(number), cache_answer(std::string(500, static_cast<char>(number))));
      } else if (const CacheEntryPtr entry = find(store, number)) {
        if (entry->body != std::string(500, static_cast<char>(number))) wrong = true;
      }
      if (i % 1000 == 999) store.clear();
      if (store.stat().bytes > bound) over = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(over);
  EXPECT_FALSE(wrong);
  store.clear();
  EXPECT_EQ(store.stat().bytes, 0U);
}

}  // namespace
}  // namespace aifd::services
