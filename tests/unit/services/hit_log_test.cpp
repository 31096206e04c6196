#include "aifd/services/hit_log.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace aifd::services {
namespace {

Clock::time_point at(std::int64_t time) {
  return Clock::time_point(Clock::duration(time));
}

TEST(HitLog, IsEmptyAtFirst) {
  HitLog log;
  EXPECT_EQ(log.size(), 0u);
  EXPECT_EQ(log.count_until(at(100)), 0u);
  log.drop_oldest(0);
  EXPECT_EQ(log.size(), 0u);
}

TEST(HitLog, HoldsWhatAQueueWouldHowEverItGrowsAndShrinks) {
  std::mt19937_64 random(7);
  HitLog log;
  std::deque<std::int64_t> queue;
  std::int64_t time = 0;
  for (int step = 0; step < 20'000; ++step) {
    const bool growing = step % 4000 < 2000;
    if (random() % 10 < (growing ? 9u : 3u)) {
      time += static_cast<std::int64_t>(random() % 3);
      log.add(at(time));
      queue.push_back(time);
    } else {
      const std::size_t count = random() % (queue.size() / (growing ? 50 : 8) + 2);
      const std::size_t dropped = std::min(count, queue.size());
      log.drop_oldest(dropped);
      queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(dropped));
    }
    ASSERT_EQ(log.size(), queue.size());
    if (queue.empty()) continue;
    const std::size_t any = random() % queue.size();
    ASSERT_EQ(log.at(any), at(queue[any]));
    ASSERT_EQ(log.at(0), at(queue.front()));
    ASSERT_EQ(log.at(queue.size() - 1), at(queue.back()));
    const std::int64_t until = queue[any] + static_cast<std::int64_t>(random() % 3) - 1;
    const auto after = std::upper_bound(queue.begin(), queue.end(), until);
    ASSERT_EQ(log.count_until(at(until)), static_cast<std::size_t>(after - queue.begin()));
  }
}

}  // namespace
}  // namespace aifd::services
