#include "aifd/services/memory_limiter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "logged_lines.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;
using namespace std::chrono_literals;

constexpr Clock::time_point kStart{1000h};
constexpr RateLimitStrategy kStrategies[] = {
    RateLimitStrategy::fixed_window, RateLimitStrategy::moving_window,
    RateLimitStrategy::fixed_window_elastic_expiry, RateLimitStrategy::sliding_window_counter,
    RateLimitStrategy::gcra};

chain::CallerId caller(std::uint32_t number) {
  chain::CallerId id{};
  std::memcpy(id.data(), &number, sizeof number);
  return id;
}

LimitRule rule(std::uint32_t id, const std::string& limits) {
  return {id, "/", config::parse_rate_limits(limits).value()};
}

TEST(MemoryLimiter, CountsEachCallerUnderEachRuleByItself) {
  MemoryLimiter limiter(RateLimitStrategy::fixed_window);
  const LimitRule chat = rule(0, "2/minute");
  const LimitRule models = rule(1, "2/minute");
  EXPECT_EQ(limiter.hit(caller(1), chat, kStart).remaining, 1u);
  EXPECT_EQ(limiter.hit(caller(1), chat, kStart).remaining, 0u);
  EXPECT_FALSE(limiter.hit(caller(1), chat, kStart).admitted);
  EXPECT_TRUE(limiter.hit(caller(1), models, kStart).admitted);
  EXPECT_TRUE(limiter.hit(caller(2), chat, kStart).admitted);
  EXPECT_EQ(limiter.entries(), 3u);
}

TEST(MemoryLimiter, HasNothingToSayWithoutALimit) {
  MemoryLimiter limiter(RateLimitStrategy::gcra);
  const LimitDecision decision = limiter.hit(caller(1), {0, "/", {}}, kStart);
  EXPECT_TRUE(decision.admitted);
  EXPECT_EQ(decision.limit, 0u);
  EXPECT_EQ(limiter.entries(), 0u);
}

TEST(MemoryLimiter, CountsUnderAllLimitsOrUnderNone) {
  for (const RateLimitStrategy strategy : kStrategies) {
    MemoryLimiter limiter(strategy);
    const LimitRule both = rule(0, "1/second;3/hour");
    int admitted = 0;
    for (int i = 0; i < 10; ++i) admitted += limiter.hit(caller(1), both, kStart).admitted;
    EXPECT_EQ(admitted, 1);
    // What the second refused took nothing of the hour. (Two seconds: longer than any waits.)
    EXPECT_TRUE(limiter.hit(caller(1), both, kStart + 2s).admitted);
    EXPECT_TRUE(limiter.hit(caller(1), both, kStart + 4s).admitted);
    const LimitDecision refused = limiter.hit(caller(1), both, kStart + 6s);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.limit, 3u);
    EXPECT_GT(refused.retry_after, 1min);
  }
}

TEST(MemoryLimiter, TellsTheLeastRemainingAndTheLongestWait) {
  MemoryLimiter limiter(RateLimitStrategy::fixed_window);
  const LimitRule both = rule(0, "2/second;2/minute;9/hour");
  EXPECT_EQ(limiter.hit(caller(1), both, kStart).remaining, 1u);
  const LimitDecision last = limiter.hit(caller(1), both, kStart);
  EXPECT_TRUE(last.admitted);
  EXPECT_EQ(last.remaining, 0u);
  EXPECT_EQ(last.retry_after, 0s);
  const LimitDecision refused = limiter.hit(caller(1), both, kStart + 400ms);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.limit, 2u);
  EXPECT_EQ(refused.retry_after, 59'600ms);
  EXPECT_EQ(refused.reset, 59'600ms);
}

TEST(MemoryLimiter, PutsOffOnlyWhatIsOverItsLimit) {
  MemoryLimiter limiter(RateLimitStrategy::fixed_window_elastic_expiry);
  const LimitRule both = rule(0, "1/10seconds;2/minute");
  EXPECT_TRUE(limiter.hit(caller(1), both, kStart).admitted);
  for (int i = 1; i <= 6; ++i) {
    EXPECT_EQ(limiter.hit(caller(1), both, kStart + i * 9s).retry_after, 10s);
  }
  // The minute ran since the one admitted request, not since the refused ones.
  const LimitDecision late = limiter.hit(caller(1), both, kStart + 64s);
  EXPECT_TRUE(late.admitted);
  EXPECT_EQ(late.remaining, 0u);
  EXPECT_TRUE(limiter.hit(caller(1), both, kStart + 75s).admitted);
}

TEST(MemoryLimiter, TakesATimeBehindAnothersAsThat) {
  for (const RateLimitStrategy strategy : kStrategies) {
    MemoryLimiter limiter(strategy);
    const LimitRule one = rule(0, "1/second");
    EXPECT_TRUE(limiter.hit(caller(1), one, kStart).admitted);
    EXPECT_FALSE(limiter.hit(caller(1), one, kStart - 5ms).admitted);
    EXPECT_FALSE(limiter.hit(caller(1), one, kStart - 5h).admitted);
    EXPECT_FALSE(limiter.hit(caller(1), one, Clock::time_point{}).admitted);
    const LimitDecision behind = limiter.hit(caller(1), one, kStart - 5ms);
    EXPECT_FALSE(limiter.hit(caller(1), one, kStart - 5ms).admitted);
    EXPECT_GE(behind.retry_after, 1s + 5ms);
  }
}

TEST(MemoryLimiter, CopesWithARuleWhoseLimitsAreOthersThanBefore) {
  for (const RateLimitStrategy strategy : kStrategies) {
    MemoryLimiter limiter(strategy);
    for (const char* limits :
         {"3/second", "5/day;1/second;7/100years", "2/minute", "1/second;1/day"}) {
      limiter.hit(caller(1), rule(0, limits), kStart);
    }
    EXPECT_EQ(limiter.entries(), 1u);
  }
}

// Eight threads at once, at slightly different times in any order.
int admitted_of_eight_threads(MemoryLimiter& limiter, const LimitRule& limited) {
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      int mine = 0;
      for (int i = 0; i < 2000; ++i) {
        const auto jitter = std::chrono::microseconds((i * 7919 + thread * 104'729) % 1000);
        mine += limiter.hit(caller(1), limited, kStart + jitter).admitted;
        limiter.hit(caller(static_cast<std::uint32_t>(10 + thread)), limited, kStart + jitter);
      }
      admitted += mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return admitted;
}

TEST(MemoryLimiter, AdmitsExactlyTheCountOverEightThreads) {
  for (const RateLimitStrategy strategy : kStrategies) {
    MemoryLimiter limiter(strategy);
    EXPECT_EQ(admitted_of_eight_threads(limiter, rule(0, "5000/10hours")), 5000);
    EXPECT_EQ(admitted_of_eight_threads(limiter, rule(1, "900/hour;700/day")), 700);
    EXPECT_EQ(limiter.entries(), 18u);
  }
}

TEST(MemoryLimiter, DropsAMillionCallersOnceTheirTimeIsOver) {
  constexpr std::uint32_t kCallers = 1'000'000;
  MemoryLimiter limiter(RateLimitStrategy::fixed_window);
  const LimitRule limited = rule(0, "5/minute");
  for (std::uint32_t i = 0; i < kCallers; ++i) limiter.hit(caller(i), limited, kStart);
  EXPECT_EQ(limiter.entries(), kCallers);
  // Nobody is dropped before that.
  for (std::uint32_t i = 0; i < kCallers; i += 1000) {
    EXPECT_EQ(limiter.hit(caller(i), limited, kStart + 1min - 1ns).remaining, 3u);
  }
  for (std::uint32_t i = 0; i < kCallers; ++i) {
    limiter.hit(caller(i % 10'000), limited, kStart + 1min);
  }
  EXPECT_EQ(limiter.entries(), 10'000u);
}

TEST(MemoryLimiter, StaysNearTheCallersThatCountWhileNewOnesKeepComing) {
  for (const RateLimitStrategy strategy : kStrategies) {
    MemoryLimiter limiter(strategy);
    const LimitRule limited = rule(0, "1/second");
    // 20 000 new callers a second, each of whom counts for a second, or two for the counter.
    std::size_t most = 0;
    for (std::uint32_t i = 0; i < 200'000; ++i) {
      limiter.hit(caller(i), limited, kStart + i * 50us);
      if (i % 1000 == 0) most = std::max(most, limiter.entries());
    }
    EXPECT_LT(most, 60'000u);
  }
}

TEST(MemoryLimiter, NeverHoldsMoreEntriesThanItsBound) {
  const LoggedLines lines;
  for (const std::size_t bound : {1u, 2u, 1000u, 5000u}) {
    MemoryLimiter limiter(RateLimitStrategy::moving_window, bound);
    const LimitRule limited = rule(0, "5/minute;9/hour");
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      EXPECT_TRUE(limiter.hit(caller(i), limited, kStart).admitted);
      if (i % 500 == 0) {
        EXPECT_LE(limiter.entries(), bound);
      }
    }
    EXPECT_EQ(limiter.entries(), bound);
  }
  MemoryLimiter none(RateLimitStrategy::fixed_window, 0);
  EXPECT_TRUE(none.hit(caller(1), rule(0, "1/hour"), kStart).admitted);
  EXPECT_FALSE(none.hit(caller(1), rule(0, "1/hour"), kStart).admitted);
  EXPECT_EQ(none.entries(), 1u);
}

TEST(MemoryLimiter, ForgetsThoseFirstWhoExpireSoonest) {
  const LoggedLines lines;
  MemoryLimiter limiter(RateLimitStrategy::fixed_window, 1000);
  const LimitRule day = rule(0, "2/day");
  const LimitRule second = rule(1, "2/second");
  for (std::uint32_t i = 0; i < 300; ++i) limiter.hit(caller(i), day, kStart);
  for (std::uint32_t i = 0; i < 10'000; ++i) limiter.hit(caller(i), second, kStart);
  int known = 0;
  for (std::uint32_t i = 0; i < 300; ++i)
    known += limiter.hit(caller(i), day, kStart).remaining == 0;
  EXPECT_GE(known, 280);  // eight of eight picked at random being such is one in 15 000
}

TEST(MemoryLimiter, WarnsOfTooManyCallersOnceAMinute) {
  const LoggedLines lines;
  MemoryLimiter limiter(RateLimitStrategy::fixed_window, 10);
  const LimitRule limited = rule(0, "2/day");
  for (std::uint32_t i = 0; i < 10; ++i) limiter.hit(caller(i), limited, kStart);
  EXPECT_EQ(lines.count(), 0);
  for (std::uint32_t i = 10; i < 1000; ++i) limiter.hit(caller(i), limited, kStart);
  EXPECT_EQ(lines.count(), 1);
  limiter.hit(caller(1000), limited, kStart + 1min - 1ns);
  EXPECT_EQ(lines.count(), 1);
  for (std::uint32_t i = 1001; i < 1010; ++i) limiter.hit(caller(i), limited, kStart + 1min);
  EXPECT_EQ(lines.count(), 2);
}

}  // namespace
}  // namespace aifd::services
