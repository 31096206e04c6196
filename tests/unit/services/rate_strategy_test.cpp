#include "aifd/services/rate_strategy.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace aifd::services {
namespace {

using config::RateLimit;
using config::RateLimitStrategy;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr Clock::time_point kStart{1000h};  // at the beginning of windows that stand fixed

// A request at a time after the start, and what comes of it.
struct Step {
  nanoseconds time;
  bool admitted;
  std::uint64_t remaining;
  nanoseconds reset;
  nanoseconds wait;
};

void run(RateLimitStrategy kind, const RateLimit& limit, const std::vector<Step>& steps) {
  const auto strategy = make_rate_strategy(kind);
  RateState state;
  for (const Step& step : steps) {
    SCOPED_TRACE("at " + std::to_string(step.time.count()) + " ns");
    const Clock::time_point now = kStart + step.time;
    EXPECT_EQ(strategy->admits(state, limit, now), step.admitted);
    if (strategy->admits(state, limit, now)) {
      strategy->count(state, limit, now);
    } else {
      strategy->note_refusal(state, now);
    }
    const Standing standing = strategy->standing(state, limit, now);
    EXPECT_EQ(standing.remaining, step.remaining);
    EXPECT_EQ(standing.reset.count(), step.reset.count());
    EXPECT_EQ(standing.wait.count(), step.wait.count());
  }
}

TEST(RateStrategy, FixedWindowBeginsWithTheFirstHit) {
  run(RateLimitStrategy::fixed_window, {2, 10s},
      {
          {3s, true, 1, 10s, 0s},
          {5s, true, 0, 8s, 8s},
          {5s, false, 0, 8s, 8s},
          {13s - 1ns, false, 0, 1ns, 1ns},
          {13s, true, 1, 10s, 0s},
          {40s, true, 1, 10s, 0s},
      });
}

TEST(RateStrategy, ElasticExpiryPutsTheEndOffWithEveryHit) {
  run(RateLimitStrategy::fixed_window_elastic_expiry, {2, 10s},
      {
          {0s, true, 1, 10s, 0s},
          {9s, true, 0, 10s, 10s},
          {18s, false, 0, 10s, 10s},
          {28s - 1ns, false, 0, 10s, 10s},
          {38s - 1ns, true, 1, 10s, 0s},
      });
}

TEST(RateStrategy, MovingWindowFreesEachHitWhenItIsAWindowOld) {
  run(RateLimitStrategy::moving_window, {3, 10s},
      {
          {0s, true, 2, 10s, 0s},
          {4s, true, 1, 10s, 0s},
          {4s, true, 0, 10s, 6s},
          {9s, false, 0, 5s, 1s},
          {10s - 1ns, false, 0, 4s + 1ns, 1ns},
          {10s, true, 0, 10s, 4s},
          {14s, true, 1, 10s, 0s},
          {100s, true, 2, 10s, 0s},
      });
}

TEST(RateStrategy, SlidingWindowCounterWeighsTheWindowBefore) {
  run(RateLimitStrategy::sliding_window_counter, {4, 10s},
      {
          {8s, true, 3, 12s, 0s},
          {8s, true, 2, 12s, 0s},
          {9s, true, 1, 11s, 0s},
          {9s, true, 0, 11s, 3500ms},  // 4 * 7.5/10 + 1 is 4
          {10s, false, 0, 10s, 2500ms},
          {12500ms - 1ns, false, 0, 7500ms + 1ns, 1ns},
          {12500ms, true, 0, 17500ms, 2500ms},
          {15s, true, 0, 15s, 2500ms},
          {20s, true, 1, 20s, 0s},  // 2 before, 1 here
          {39s, true, 2, 11s, 0s},  // 1 * 1/10 before, which is more than nothing
          {100s, true, 3, 20s, 0s},
      });
}

TEST(RateStrategy, SlidingWindowCounterOfOneWaitsUntilNothingWeighs) {
  run(RateLimitStrategy::sliding_window_counter, {1, 10s},
      {
          {9s, true, 0, 11s, 11s},
          {20s - 1ns, false, 0, 1ns, 1ns},
          {20s, true, 0, 20s, 20s},
      });
}

TEST(RateStrategy, GcraGivesAllAtOnceAndThenOneAtATime) {
  run(RateLimitStrategy::gcra, {4, 10s},
      {
          {0s, true, 3, 2500ms, 0s},
          {0s, true, 2, 5s, 0s},
          {0s, true, 1, 7500ms, 0s},
          {0s, true, 0, 10s, 2500ms},
          {2500ms - 1ns, false, 0, 7500ms + 1ns, 1ns},
          {2500ms, true, 0, 10s, 2500ms},
          {7500ms, true, 1, 7500ms, 0s},
          {15s, true, 3, 2500ms, 0s},
      });
}

TEST(RateStrategy, GcraNeverRoundsWhatItKeeps) {
  // A third of a second each: the fractions of three add up to nothing.
  run(RateLimitStrategy::gcra, {3, 1s},
      {
          {0s, true, 2, 333'333'334ns, 0s},
          {0s, true, 1, 666'666'667ns, 0s},
          {0s, true, 0, 1s, 333'333'334ns},
          {333'333'333ns, false, 0, 666'666'667ns, 1ns},
          {333'333'334ns, true, 0, 1s, 333'333'333ns},
          {666'666'667ns, true, 0, 1s, 333'333'333ns},
          {1s, true, 0, 1s, 333'333'334ns},
      });
}

constexpr std::uint64_t kLargestCount = 1'000'000'000'000;
constexpr std::chrono::seconds kLongestWindow{3'110'400'000};  // 100 years of 360 days
const RateLimit kLargest{kLargestCount, kLongestWindow};

struct Extreme {
  RateLimitStrategy strategy;
  WindowCount state;  // at the last moment before the count is used up
  nanoseconds reset;
  nanoseconds wait;
};

TEST(RateStrategy, IsExactAtTheLargestLimitsThatSettingsTake) {
  // So that a fixed window has just begun.
  const Clock::time_point now{kLongestWindow};
  const nanoseconds window = kLongestWindow;
  const nanoseconds each = window / kLargestCount;
  const Extreme cases[] = {
      {RateLimitStrategy::fixed_window, {now - 1s, kLargestCount - 1, 0}, window - 1s, window - 1s},
      {RateLimitStrategy::fixed_window_elastic_expiry,
       {now - 1s, kLargestCount - 1, 0},
       window,
       window},
      {RateLimitStrategy::sliding_window_counter,
       {now, kLargestCount - 1, 0},
       2 * window,
       window + each},
      {RateLimitStrategy::sliding_window_counter,
       {now, 0, kLargestCount - 1},
       2 * window,
       each + 1ns},
      {RateLimitStrategy::gcra, {now, kLargestCount - 1, 0}, window, each},
  };
  for (const Extreme& c : cases) {
    SCOPED_TRACE("strategy " + std::to_string(static_cast<int>(c.strategy)));
    const auto strategy = make_rate_strategy(c.strategy);
    RateState state = c.state;
    ASSERT_TRUE(strategy->admits(state, kLargest, now));
    EXPECT_EQ(strategy->standing(state, kLargest, now).remaining, 1u);
    strategy->count(state, kLargest, now);
    const Standing standing = strategy->standing(state, kLargest, now);
    EXPECT_EQ(standing.remaining, 0u);
    EXPECT_EQ(standing.reset.count(), c.reset.count());
    EXPECT_EQ(standing.wait.count(), c.wait.count());
    EXPECT_FALSE(strategy->admits(state, kLargest, now + c.wait - 1ns));
    EXPECT_TRUE(strategy->admits(state, kLargest, now + c.wait));
  }
}

TEST(RateStrategy, KnowsNothingOfACallerWhoNeverCame) {
  for (const auto kind : {RateLimitStrategy::fixed_window, RateLimitStrategy::moving_window,
                          RateLimitStrategy::fixed_window_elastic_expiry,
                          RateLimitStrategy::sliding_window_counter, RateLimitStrategy::gcra}) {
    const auto strategy = make_rate_strategy(kind);
    for (const Clock::time_point now : {Clock::time_point{}, Clock::time_point{1ns}, kStart}) {
      const RateState state;
      EXPECT_TRUE(strategy->admits(state, {1, 1s}, now));
      const Standing standing = strategy->standing(state, {5, 100s}, now);
      EXPECT_EQ(standing.remaining, 5u);
      EXPECT_EQ(standing.reset, 0s);
      EXPECT_EQ(standing.wait, 0s);
    }
  }
}

}  // namespace
}  // namespace aifd::services
