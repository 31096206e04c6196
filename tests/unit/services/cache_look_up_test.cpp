#include "aifd/services/cache_look_up.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "aifd/chain/event.hpp"
#include "cache_samples.hpp"
#include "support/run_task.hpp"

namespace aifd::services {
namespace {

// Has what a test puts in, and answers when the test says so.
class SlowStore final : public CacheStore {
 public:
  Task<CacheEntryPtr> get(const CacheKey& key) override {
    ++asked;
    most_at_a_time = std::max(most_at_a_time, ++asking);
    if (slow) {
      chain::Event event(co_await asio::this_coro::executor);
      waiting.push_back(&event);
      co_await event.wait();
    }
    --asking;
    if (breaks) throw std::runtime_error("broken");
    const auto found = entries.find(key);
    if (found == entries.end()) co_return nullptr;
    co_return found->second;
  }
  void put(const CacheKey& key, CacheEntryPtr entry) override { entries[key] = std::move(entry); }
  void clear() override { entries.clear(); }
  CacheStat stat() const override { return {}; }

  void answer_all() {
    for (chain::Event* event : std::exchange(waiting, {})) event->set();
  }

  std::map<CacheKey, CacheEntryPtr> entries;
  std::vector<chain::Event*> waiting;
  bool slow = false;
  bool breaks = false;
  int asked = 0;
  int asking = 0;
  int most_at_a_time = 0;
};

std::vector<CacheKey> keys(unsigned count) {
  std::vector<CacheKey> made;
  for (unsigned i = 0; i < count; ++i) made.push_back(cache_key(i));
  return made;
}

TEST(CacheLookUp, FindsEachInItsPlace) {
  SlowStore store;
  for (unsigned i = 0; i < 100; i += 3) store.put(cache_key(i), cache_answer(std::to_string(i)));
  const auto found = test::run_task(get_many(store, keys(100), {}));
  ASSERT_EQ(found.size(), 100U);
  for (unsigned i = 0; i < 100; ++i) {
    if (i % 3 == 0) {
      ASSERT_TRUE(found[i]) << i;
      EXPECT_EQ(found[i]->body, std::to_string(i));
    } else {
      EXPECT_FALSE(found[i]) << i;
    }
  }
  EXPECT_EQ(store.asked, 100);
}

TEST(CacheLookUp, OfNoneIsNone) {
  SlowStore store;
  EXPECT_TRUE(test::run_task(get_many(store, {}, {})).empty());
}

TEST(CacheLookUp, AsksForSeveralAtATime) {
  SlowStore store;
  store.slow = true;
  asio::io_context loop;
  test::Running<std::vector<CacheEntryPtr>> running(loop,
                                                    get_many(store, keys(40), {.at_a_time = 16}));
  for (int round = 0; round < 10 && !running.finished(); ++round) {
    loop.restart();
    loop.poll();
    store.answer_all();
  }
  EXPECT_TRUE(running.finished());
  EXPECT_EQ(store.asked, 40);
  EXPECT_EQ(store.most_at_a_time, 16);
}

TEST(CacheLookUp, AsksForNoMoreOnceTimeIsUp) {
  SlowStore store;
  store.slow = true;
  store.put(cache_key(1), cache_answer("late"));
  Clock::time_point now{};
  asio::io_context loop;
  test::Running<std::vector<CacheEntryPtr>> running(
      loop, get_many(store, keys(40),
                     {.at_a_time = 4, .time = std::chrono::milliseconds(250), .clock = [&now] {
                        return now;
                      }}));
  loop.poll();
  now += std::chrono::milliseconds(250);
  store.answer_all();
  loop.restart();
  loop.poll();
  ASSERT_TRUE(running.finished());
  EXPECT_EQ(store.asked, 4);
  const auto found = running.take();
  ASSERT_EQ(found.size(), 40U);
  EXPECT_TRUE(found[1]);
}

TEST(CacheLookUp, AsksForNoMoreThanTheBytesThatItMayHold) {
  SlowStore store;
  for (unsigned i = 0; i < 40; ++i) store.put(cache_key(i), cache_answer(std::string(10, 'x')));
  const auto found = test::run_task(get_many(store, keys(40), {.at_a_time = 1, .body_bytes = 25}));
  EXPECT_EQ(std::ranges::count_if(found, [](const auto& entry) { return entry != nullptr; }), 3);
}

TEST(CacheLookUp, WhatFailsIsMissing) {
  SlowStore store;
  store.breaks = true;
  const auto found = test::run_task(get_many(store, keys(3), {}));
  EXPECT_EQ(found, std::vector<CacheEntryPtr>(3));
}

TEST(CacheLookUp, ItsLoopMayEndMeanwhile) {
  SlowStore store;
  store.slow = true;
  {
    asio::io_context loop;
    test::Running<std::vector<CacheEntryPtr>> running(loop, get_many(store, keys(3), {}));
    loop.poll();
    EXPECT_FALSE(running.finished());
    // as a store's own end does
    store.answer_all();
  }
  EXPECT_EQ(store.asked, 3);
}

}  // namespace
}  // namespace aifd::services
