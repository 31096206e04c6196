#include "aifd/services/token_quota.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "logged_lines.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kStart{1000s};

chain::CallerId caller(std::uint32_t number) {
  chain::CallerId id{};
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<unsigned char>(number >> 8 * i);
  return id;
}

LimitRule rule(config::RateLimits limits, std::uint32_t id = 0) {
  return {id, "/v1", std::move(limits)};
}

class Quota : public testing::Test {
 protected:
  TokenQuota::Answer reserve(const LimitRule& under, std::uint64_t tokens,
                             Clock::duration after = {}, std::uint32_t number = 1) {
    return quota_.reserve(caller(number), under, tokens, kStart + after);
  }

  std::uint64_t remaining(const LimitRule& under, Clock::duration after = {}) {
    return reserve(under, 0, after).decision.remaining;
  }

  TokenQuota quota_;
};

TEST_F(Quota, AdmitsUpToTheLimitAndRefusesBeyond) {
  const LimitRule minute = rule({{1000, 60s}});
  const auto first = reserve(minute, 900);
  EXPECT_TRUE(first.decision.admitted);
  EXPECT_EQ(first.decision.limit, 1000U);
  EXPECT_EQ(first.decision.remaining, 100U);
  EXPECT_EQ(first.decision.reset, 60s);
  EXPECT_EQ(first.decision.retry_after, 0s);
  EXPECT_EQ(first.reservation.tokens, 900U);

  const auto second = reserve(minute, 200, 48s);
  EXPECT_FALSE(second.decision.admitted);
  EXPECT_FALSE(second.never);
  EXPECT_EQ(second.decision.remaining, 100U);
  EXPECT_EQ(second.decision.retry_after, 12s);
  EXPECT_EQ(second.decision.reset, 12s);

  EXPECT_TRUE(reserve(minute, 100, 59s).decision.admitted);
  EXPECT_FALSE(reserve(minute, 1, 60s - 1ns).decision.admitted);
  EXPECT_TRUE(reserve(minute, 1000, 60s).decision.admitted);
}

TEST_F(Quota, WindowBeginsWithItsFirstUse) {
  const LimitRule minute = rule({{10, 60s}});
  EXPECT_TRUE(reserve(minute, 10, 30s).decision.admitted);
  EXPECT_EQ(reserve(minute, 10, 70s).decision.retry_after, 20s);
  EXPECT_TRUE(reserve(minute, 10, 150s).decision.admitted);
  EXPECT_EQ(reserve(minute, 10, 151s).decision.retry_after, 59s);
}

TEST_F(Quota, MoreThanTheWholeLimitIsNeverAdmitted) {
  const LimitRule both = rule({{100, 1s}, {1000, 1h}});
  const auto large = reserve(both, 101);
  EXPECT_FALSE(large.decision.admitted);
  EXPECT_TRUE(large.never);
  EXPECT_EQ(large.decision.limit, 100U);
  EXPECT_EQ(large.decision.retry_after, 0s);
  EXPECT_EQ(quota_.entries(), 0U);
  EXPECT_TRUE(reserve(both, std::numeric_limits<std::uint64_t>::max()).never);
  EXPECT_TRUE(reserve(both, 100).decision.admitted);
}

TEST_F(Quota, ReservesUnderAllLimitsOrNone) {
  const LimitRule both = rule({{100, 1s}, {150, 1h}});
  EXPECT_EQ(reserve(both, 100).decision.limit, 100U);
  EXPECT_EQ(reserve(both, 50).decision.limit, 100U) << "the second's window refuses shorter";
  const auto refused = reserve(both, 60, 2s);
  EXPECT_FALSE(refused.decision.admitted);
  EXPECT_EQ(refused.decision.limit, 150U);
  EXPECT_EQ(refused.decision.remaining, 50U);
  EXPECT_EQ(refused.decision.retry_after, 1h - 2s);
  const auto admitted = reserve(both, 50, 2s);
  EXPECT_TRUE(admitted.decision.admitted) << "nothing was taken by the refused one";
  EXPECT_EQ(admitted.decision.limit, 150U) << "least is left of it";
  EXPECT_EQ(admitted.decision.remaining, 0U);
}

TEST_F(Quota, OfSeveralRefusalsTheLongestWaitIsTold) {
  const LimitRule both = rule({{100, 1s}, {100, 1h}});
  reserve(both, 100);
  EXPECT_EQ(reserve(both, 1).decision.retry_after, 1h);
}

TEST_F(Quota, CountsCallersAndRulesApart) {
  const LimitRule one = rule({{10, 60s}}, 1);
  const LimitRule two = rule({{10, 60s}}, 2);
  EXPECT_TRUE(reserve(one, 10).decision.admitted);
  EXPECT_TRUE(reserve(two, 10).decision.admitted);
  EXPECT_TRUE(reserve(one, 10, 0s, 2).decision.admitted);
  EXPECT_FALSE(reserve(one, 1).decision.admitted);
}

TEST_F(Quota, SettlesTheDifference) {
  struct Case {
    std::uint64_t reserved;
    std::uint64_t used;
    std::uint64_t remaining;
  };
  const Case cases[] = {{500, 500, 500}, {500, 0, 1000},
                        {500, 100, 900}, {500, 700, 300},
                        {500, 5000, 0},  {0, 300, 700},
                        {1, 0, 1000},    {1000, std::numeric_limits<std::uint64_t>::max(), 0}};
  std::uint32_t id = 0;
  for (const Case& c : cases) {
    const LimitRule minute = rule({{1000, 60s}}, ++id);
    const auto answer = reserve(minute, c.reserved);
    quota_.settle(answer.reservation, c.used, kStart + 1s);
    EXPECT_EQ(remaining(minute, 2s), c.remaining) << c.reserved << " " << c.used;
  }
}

TEST_F(Quota, AboveTheLimitNothingRemainsUntilTheWindowEnds) {
  const LimitRule minute = rule({{1000, 60s}});
  const auto first = reserve(minute, 100);
  const auto second = reserve(minute, 100);
  quota_.settle(first.reservation, 3000, kStart + 1s);
  EXPECT_EQ(reserve(minute, 1, 2s).decision.retry_after, 58s);
  quota_.settle(second.reservation, 50, kStart + 2s);
  EXPECT_FALSE(reserve(minute, 1, 3s).decision.admitted);
  EXPECT_EQ(remaining(minute, 60s), 1000U);
}

TEST_F(Quota, SettlesInTheWindowsThatStillLastAndTheSurplusInTheNext) {
  const LimitRule both = rule({{1000, 10s}, {1000, 1h}});
  const auto before = reserve(both, 100);
  reserve(both, 1, 20s);  // begins a new short window
  quota_.settle(before.reservation, 500, kStart + 21s);
  const auto after = reserve(both, 0, 22s);
  EXPECT_EQ(after.decision.remaining, 499U) << "of the hour";
  reserve(both, 499, 23s);
  EXPECT_EQ(reserve(rule({{1000, 10s}}), 0, 24s).decision.remaining, 100U)
      << "of the ten seconds: 1, a surplus of 400, and 499";
}

TEST_F(Quota, SettlesInALongWindowAfterShorterOnesWereOver) {
  const LimitRule both = rule({{1000, 10s}, {1000, 1h}});
  reserve(both, 100);
  const auto second = reserve(both, 300, 20s);
  quota_.settle(second.reservation, 50, kStart + 31s);
  EXPECT_EQ(remaining(both, 32s), 850U) << "of the hour, which began before the second request";
}

TEST_F(Quota, AnAnswerLongerThanTheWindowCountsInTheNextOne) {
  const LimitRule minute = rule({{1000, 60s}});
  const auto answer = reserve(minute, 100);
  quota_.settle(answer.reservation, 900, kStart + 70s);
  EXPECT_EQ(remaining(minute, 71s), 200U) << "100 were of the window before";
  EXPECT_EQ(remaining(minute, 129s), 200U);
  EXPECT_EQ(remaining(minute, 130s), 1000U);
}

TEST_F(Quota, AnAnswerCountsWhereItsEntryWasForgotten) {
  const LimitRule minute = rule({{1000, 60s}});
  TokenQuota::Reservation forgotten = reserve(minute, 100).reservation;
  forgotten.caller = caller(77);
  quota_.settle(forgotten, 100, kStart + 70s);
  EXPECT_EQ(quota_.entries(), 1U) << "nothing to count";
  quota_.settle(forgotten, 5000, kStart + 70s);
  EXPECT_FALSE(quota_.reserve(caller(77), minute, 1, kStart + 71s).decision.admitted);
}

TEST_F(Quota, SettlingLateWithoutASurplusOrWithoutAReservationChangesNothing) {
  const LimitRule minute = rule({{1000, 60s}});
  const auto answer = reserve(minute, 100);
  quota_.settle(answer.reservation, 90, kStart + 60s);
  EXPECT_EQ(remaining(minute, 60s), 1000U);
  quota_.settle({}, 900, kStart + 60s);
  EXPECT_EQ(remaining(minute, 60s), 1000U);
}

TEST_F(Quota, WhatWasRefusedHasNothingToSettle) {
  const LimitRule minute = rule({{1000, 60s}});
  reserve(minute, 900);
  const auto refused = reserve(minute, 200);
  EXPECT_EQ(refused.reservation.rule, nullptr);
  quota_.settle(refused.reservation, 5000, kStart + 1s);
  EXPECT_EQ(remaining(minute, 2s), 100U);
}

TEST_F(Quota, KeepsItsCountWhereARuleIsReplaced) {
  const auto one = reserve(rule({{1000, 60s}}), 100);
  const LimitRule more = rule({{1000, 60s}, {5000, 1h}});
  EXPECT_EQ(reserve(more, 100).decision.remaining, 800U);
  EXPECT_EQ(reserve(rule({{1000, 60s}}), 100).decision.remaining, 700U);
  const LimitRule old = rule({{1000, 60s}});
  TokenQuota::Reservation reservation = one.reservation;
  reservation.rule = &old;
  quota_.settle(reservation, 0, kStart);
  EXPECT_EQ(remaining(more), 800U);
}

TEST(QuotaBounds, ForgetsEntriesThatAreOverAndNeverHoldsMore) {
  const LoggedLines lines;
  TokenQuota quota(160);
  const LimitRule minute = rule({{10, 60s}});
  for (std::uint32_t i = 0; i < 10'000; ++i) quota.reserve(caller(i), minute, 1, kStart);
  EXPECT_EQ(quota.entries(), 160U);
  for (std::uint32_t i = 0; i < 10'000; ++i) quota.reserve(caller(5), minute, 0, kStart + 60s);
  EXPECT_LE(quota.entries(), 151U) << "one shard is swept";
  for (std::uint32_t i = 0; i < 1'000; ++i) quota.reserve(caller(i % 64), minute, 0, kStart + 60s);
  EXPECT_LE(quota.entries(), 64U);
}

TEST(QuotaBounds, WarnsOfTooManyCallersOnceAMinute) {
  const LoggedLines lines;
  TokenQuota quota(10);
  const LimitRule day = rule({{10, 24h}});
  for (std::uint32_t i = 0; i < 10; ++i) quota.reserve(caller(i), day, 1, kStart);
  EXPECT_EQ(lines.count(), 0);
  for (std::uint32_t i = 10; i < 100; ++i) quota.reserve(caller(i), day, 1, kStart);
  EXPECT_EQ(lines.count(), 1);
  quota.reserve(caller(100), day, 1, kStart + 1min);
  EXPECT_EQ(lines.count(), 2);
}

TEST(QuotaBounds, ForgetsFirstWhatEndsFirst) {
  const LoggedLines lines;
  TokenQuota quota(16 * 4);
  const LimitRule hour = rule({{10, 1h}}, 1);
  const LimitRule second = rule({{10, 1s}}, 2);
  quota.reserve(caller(1), hour, 10, kStart);
  for (std::uint32_t i = 0; i < 10'000; ++i) quota.reserve(caller(i), second, 1, kStart);
  EXPECT_FALSE(quota.reserve(caller(1), hour, 1, kStart).decision.admitted);
}

TEST(QuotaThreads, TogetherTakeExactlyTheLimit) {
  TokenQuota quota;
  const LimitRule minute = rule({{10'000, 60s}, {50'000, 1h}});
  std::atomic<std::uint64_t> taken = 0;
  const auto work = [&] {
    for (int i = 0; i < 4'000; ++i) {
      if (quota.reserve(caller(1), minute, 3, kStart).decision.admitted) taken += 3;
      quota.reserve(caller(static_cast<std::uint32_t>(100 + i)), minute, 1, kStart);
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  threads.clear();
  EXPECT_EQ(taken, 9'999U);
  EXPECT_EQ(quota.reserve(caller(1), minute, 0, kStart).decision.remaining, 1U);
}

TEST(QuotaThreads, SettlingLeavesExactlyWhatWasUsed) {
  TokenQuota quota;
  const LimitRule minute = rule({{10'000'000, 60s}});
  const auto work = [&] {
    for (std::uint64_t i = 0; i < 5'000; ++i) {
      const auto answer = quota.reserve(caller(1), minute, 100 + i % 7, kStart);
      quota.settle(answer.reservation, i % 3, kStart);
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  threads.clear();
  constexpr std::uint64_t kUsed = 4 * (1666 * 3 + 1);  // 0 + 1 + 2 for each three, then 0 + 1
  EXPECT_EQ(quota.reserve(caller(1), minute, 0, kStart).decision.remaining, 10'000'000 - kUsed);
}

}  // namespace
}  // namespace aifd::services
