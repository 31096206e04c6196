// The limiter against the slow models, at random times, and most of all at the very edges.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "aifd/services/memory_limiter.hpp"
#include "services/rate_model.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kSequences = 400;
constexpr int kRequests = 150;

Clock::time_point at(std::int64_t time) {
  return Clock::time_point(Clock::duration(time));
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t from_to(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::mt19937_64 engine_;  // the same on every machine
};

class RuleModel {
 public:
  RuleModel(RateLimitStrategy strategy, const LimitRule& rule) {
    for (const config::RateLimit& limit : rule.limits) {
      limits_.emplace_back(strategy, static_cast<std::int64_t>(limit.count),
                           limit.window.count() * kSecond);
    }
  }

  bool admits(std::int64_t now) const {
    return std::ranges::all_of(limits_, [&](const LimitModel& l) { return l.admits(now); });
  }

  bool hit(std::int64_t now) {
    const bool admitted = admits(now);
    for (LimitModel& limit : limits_) {
      if (admitted) {
        limit.add_admitted(now);
      } else if (!limit.admits(now)) {
        limit.add_refused(now);
      }
    }
    return admitted;
  }

  std::int64_t admitted_at(std::int64_t now) const {
    std::int64_t least = INT64_MAX;
    for (const LimitModel& limit : limits_) least = std::min(least, limit.admitted_at(now));
    return least;
  }

  const LimitModel& limit_of(std::uint64_t count) const {
    return *std::ranges::find(limits_, static_cast<std::int64_t>(count), &LimitModel::count);
  }

 private:
  std::vector<LimitModel> limits_;  // their counts differ
};

LimitRule random_rule(Random& random) {
  LimitRule rule{static_cast<std::uint32_t>(random.from_to(0, 3)), "/", {}};
  const std::int64_t limits = random.from_to(1, 3);
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < limits; ++i) {
    count += random.from_to(1, 5);
    rule.limits.push_back(
        {static_cast<std::uint64_t>(count), std::chrono::seconds(random.from_to(1, 7))});
  }
  std::ranges::reverse(rule.limits.begin(), rule.limits.begin() + random.from_to(0, limits));
  return rule;
}

// From one request to the next: often to a moment at which something changes, or just before it.
std::int64_t random_pause(Random& random, const LimitDecision& last) {
  switch (random.from_to(0, 9)) {
    case 0:
      return random.from_to(0, 20 * kSecond);
    case 1:
      return std::max<std::int64_t>(last.reset.count() - random.from_to(0, 1), 0);
    case 2:
    case 3:
      return std::max<std::int64_t>(last.retry_after.count() - random.from_to(0, 1), 0);
    case 4:
    case 5:
      return random.from_to(0, kSecond);
    case 6:
      return kSecond;
    default:
      return random.from_to(0, 1);
  }
}

void check_decision(const LimitDecision& decision, const RuleModel& model, std::int64_t now) {
  const LimitModel& told = model.limit_of(decision.limit);
  const std::int64_t all_free = now + decision.reset.count();
  ASSERT_GT(decision.reset.count(), 0);
  ASSERT_EQ(told.admitted_at(all_free), told.count());
  ASSERT_LT(told.admitted_at(all_free - 1), told.count());
  ASSERT_EQ(static_cast<std::int64_t>(decision.remaining), model.admitted_at(now));
  ASSERT_EQ(static_cast<std::int64_t>(decision.remaining), told.admitted_at(now));
  if (decision.admitted) {
    ASSERT_EQ(decision.retry_after.count(), 0);
    return;
  }
  const std::int64_t retry = now + decision.retry_after.count();
  ASSERT_GT(retry, now);
  ASSERT_TRUE(model.admits(retry));
  ASSERT_FALSE(told.admits(retry - 1));
}

void run_sequence(RateLimitStrategy strategy, std::uint64_t seed) {
  Random random(seed);
  const LimitRule rule = random_rule(random);
  MemoryLimiter limiter(strategy);
  RuleModel model(strategy, rule);
  const chain::CallerId caller{static_cast<unsigned char>(seed)};
  // A whole second half the time, so that edges of windows are met too.
  std::int64_t now = random.from_to(0, 1'000'000) * kSecond;
  if (random.from_to(0, 1) == 0) now += random.from_to(0, kSecond);
  for (int i = 0; i < kRequests; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", request " + std::to_string(i) + ", " +
                 config::to_string(rule.limits));
    const LimitDecision decision = limiter.hit(caller, rule, at(now));
    ASSERT_EQ(decision.admitted, model.hit(now));
    ASSERT_NO_FATAL_FAILURE(check_decision(decision, model, now));
    now += random_pause(random, decision);
  }
}

// `now` wavers by up to the longest window; the model is asked at the latest of all until then.
void run_out_of_order(RateLimitStrategy strategy, std::uint64_t seed) {
  Random random(seed);
  const LimitRule rule = random_rule(random);
  MemoryLimiter limiter(strategy);
  RuleModel model(strategy, rule);
  std::int64_t time = 1'000'000 * kSecond;
  std::int64_t latest = 0;
  for (int i = 0; i < kRequests; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", request " + std::to_string(i));
    time += random.from_to(0, kSecond);
    const std::int64_t now = time - random.from_to(0, 3) * random.from_to(0, 2 * kSecond);
    latest = std::max(latest, now);
    const LimitDecision decision = limiter.hit({}, rule, at(now));
    ASSERT_EQ(decision.admitted, model.hit(latest));
    if (decision.admitted) continue;
    ASSERT_TRUE(model.admits(now + decision.retry_after.count()));
    ASSERT_FALSE(model.admits(now + decision.retry_after.count() - 1));
  }
}

class RateProperty : public testing::TestWithParam<RateLimitStrategy> {};

TEST_P(RateProperty, DecidesAsTheModelDoesToTheNanosecond) {
  for (std::uint64_t seed = 1; seed <= kSequences; ++seed) {
    ASSERT_NO_FATAL_FAILURE(run_sequence(GetParam(), seed));
  }
}

TEST_P(RateProperty, TakesATimeBehindOthersAsTheLatestOfThem) {
  for (std::uint64_t seed = 1; seed <= kSequences; ++seed) {
    ASSERT_NO_FATAL_FAILURE(run_out_of_order(GetParam(), seed));
  }
}

std::string name_of(const testing::TestParamInfo<RateLimitStrategy>& strategy) {
  switch (strategy.param) {
    case RateLimitStrategy::fixed_window:
      return "FixedWindow";
    case RateLimitStrategy::moving_window:
      return "MovingWindow";
    case RateLimitStrategy::fixed_window_elastic_expiry:
      return "FixedWindowElasticExpiry";
    case RateLimitStrategy::sliding_window_counter:
      return "SlidingWindowCounter";
    case RateLimitStrategy::gcra:
      return "Gcra";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Strategies, RateProperty,
                         testing::Values(RateLimitStrategy::fixed_window,
                                         RateLimitStrategy::moving_window,
                                         RateLimitStrategy::fixed_window_elastic_expiry,
                                         RateLimitStrategy::sliding_window_counter,
                                         RateLimitStrategy::gcra),
                         name_of);

}  // namespace
}  // namespace aifd::services
