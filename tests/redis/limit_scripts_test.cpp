// The scripts against models of the strategies, with times of the test's own.
#include <gtest/gtest.h>

#include <random>

#include "aifd/services/redis_connection.hpp"
#include "limit_command.hpp"
#include "limit_model.hpp"
#include "limit_scripts.hpp"
#include "loop.hpp"
#include "redis_process.hpp"

namespace aifd::services {
namespace {

using config::RateLimit;
using config::RateLimits;
using config::RateLimitStrategy;
using test::Us;
using namespace std::chrono_literals;

constexpr Us kStart = 1'800'000'000'000'000;

constexpr chain::CallerId kCaller{0xab, 1, 2};

struct Expected {
  bool admitted = true;
  std::size_t index = 0;
  std::int64_t remaining = 0;
  Us reset = 0;
  Us retry = 0;
};

class LimitScripts : public testing::TestWithParam<RateLimitStrategy> {
 protected:
  LimitScripts() {
    RedisOptions options;
    options.url = redis_.url();
    options.budget = 1min;
    options.connect_budget = 1min;
    server_ = std::make_shared<RedisServer>(options);
    script_ = limit_script(GetParam());
  }

  std::optional<LimitDecision> hit(const LimitRule& rule, Us now) {
    const LimitCommand command(GetParam(), kCaller, rule, static_cast<std::uint64_t>(now));
    const std::vector<std::string_view> arguments = command.arguments("EVAL", script_);
    const std::optional<RedisReply> reply =
        loop_.run(redis_connection(loop_.context(), server_).command(arguments, 1min));
    if (!reply) return std::nullopt;
    EXPECT_EQ(reply->text, "");
    return command.read(*reply);
  }

  test::RedisProcess redis_;
  test::Loop loop_;
  std::shared_ptr<RedisServer> server_;
  std::string script_;
};

Expected ask_models(std::vector<std::unique_ptr<test::LimitModel>>& models, Us now) {
  Expected refused{false, 0, 0, 0, 0};
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (models[i]->admits(now)) continue;
    models[i]->refuse(now);
    const Us wait = models[i]->wait(now);
    if (wait > refused.retry) {
      refused = {false, i, models[i]->remaining(now), models[i]->reset(now), wait};
    }
  }
  if (refused.retry > 0) return refused;
  Expected admitted;
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i]->hit(now);
    const std::int64_t remaining = models[i]->remaining(now);
    if (i == 0 || remaining < admitted.remaining) {
      admitted = {true, i, remaining, models[i]->reset(now), 0};
    }
  }
  return admitted;
}

TEST_P(LimitScripts, AgreeWithTheModels) {
  const std::vector<RateLimits> cases{
      {{1, 60s}}, {{3, 60s}}, {{7, 61s}}, {{3, 60s}, {8, 600s}}, {{8, 3600s}, {3, 90s}, {5, 600s}}};
  std::mt19937_64 random(7);
  int admitted = 0;
  int refused = 0;
  for (const RateLimits& limits : cases) {
    const LimitRule rule{0, "/v1/" + std::to_string(&limits - cases.data()), limits};
    std::vector<std::unique_ptr<test::LimitModel>> models;
    for (const RateLimit& limit : limits) models.push_back(test::make_model(GetParam(), limit));
    Us now = kStart;
    for (int i = 0; i < 250; ++i) {
      const Expected expected = ask_models(models, now);
      const std::optional<LimitDecision> decision = hit(rule, now);
      ASSERT_TRUE(decision);
      const std::string where = rule.route + " hit " + std::to_string(i);
      ASSERT_EQ(decision->admitted, expected.admitted) << where;
      ASSERT_EQ(decision->limit, limits[expected.index].count) << where;
      ASSERT_EQ(decision->remaining, expected.remaining) << where;
      ASSERT_EQ(decision->reset, std::chrono::microseconds(expected.reset)) << where;
      ASSERT_EQ(decision->retry_after, std::chrono::microseconds(expected.retry)) << where;
      ++(decision->admitted ? admitted : refused);
      // At once, soon, exactly when it is promised, a microsecond before, and after a long pause.
      const Us window = std::chrono::microseconds(limits[0].window).count();
      const std::array<Us, 7> steps{0,
                                    1,
                                    static_cast<Us>(random() % 1'000'000),
                                    window / static_cast<Us>(1 + random() % 20),
                                    expected.retry,
                                    std::max<Us>(expected.retry, 1) - 1,
                                    static_cast<Us>(random()) % 8 == 0 ? 2 * window : Us{17}};
      now += steps[random() % steps.size()];
    }
  }
  EXPECT_GT(admitted, 100);
  EXPECT_GT(refused, 100);
}

TEST_P(LimitScripts, LeaveNothingForever) {
  const LimitRule rule{0, "/v1", {{1, 60s}, {5, 3600s}}};
  for (int i = 0; i < 3; ++i) hit(rule, kStart + i);
  const RedisReply keys = redis_.ask({"KEYS", "*"});
  ASSERT_EQ(keys.items.size(), 2U);
  for (const RedisReply& key : keys.items) {
    EXPECT_TRUE(key.text.starts_with("aifd:limit:{ab010200000000000000000000000000}:/v1:"));
    const std::int64_t left = redis_.ask({"PTTL", key.text}).integer;
    EXPECT_GT(left, 0) << key.text;
    EXPECT_LE(left, 2 * 3'600'000 + 1000) << key.text;
  }
}

TEST_P(LimitScripts, TakeTheServersTime) {
  const LimitRule rule{0, "/v1", {{2, 3600s}}};
  ASSERT_TRUE(hit(rule, 0)->admitted);
  const std::optional<LimitDecision> second = hit(rule, 0);
  EXPECT_TRUE(second->admitted);
  EXPECT_EQ(second->remaining, 0U);
  EXPECT_FALSE(hit(rule, 0)->admitted);
}

TEST_P(LimitScripts, ServeWhenTheClockIsSetBack) {
  const LimitRule rule{0, "/v1", {{1, 60s}}};
  ASSERT_TRUE(hit(rule, kStart)->admitted);
  const std::optional<LimitDecision> soon_before = hit(rule, kStart - 1000);
  EXPECT_FALSE(soon_before->admitted);
  EXPECT_LE(soon_before->retry_after, 120s);
  // By an hour: nobody waits for longer than windows last.
  const std::optional<LimitDecision> long_before = hit(rule, kStart - 3'600'000'000);
  EXPECT_LE(long_before->retry_after, 60s);
}

TEST_P(LimitScripts, KnowTheLargestLimits) {
  const std::chrono::seconds century{std::chrono::years(100)};
  const LimitRule rule{0, "/v1", {{~std::uint64_t{0}, century}, {2, century}}};
  EXPECT_TRUE(hit(rule, 0)->admitted);
  EXPECT_TRUE(hit(rule, 0)->admitted);
  const std::optional<LimitDecision> third = hit(rule, 0);
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->admitted);
  EXPECT_GT(third->retry_after, 365 * 24h);
  EXPECT_LE(third->retry_after, 2 * century);
}

TEST_P(LimitScripts, CountEqualLimitsOnce) {
  const LimitRule rule{0, "/v1", {{2, 60s}, {2, 60s}}};
  EXPECT_TRUE(hit(rule, kStart)->admitted);
  EXPECT_TRUE(hit(rule, kStart)->admitted);
  EXPECT_FALSE(hit(rule, kStart)->admitted);
}

INSTANTIATE_TEST_SUITE_P(Strategies, LimitScripts,
                         testing::Values(RateLimitStrategy::fixed_window,
                                         RateLimitStrategy::moving_window,
                                         RateLimitStrategy::fixed_window_elastic_expiry,
                                         RateLimitStrategy::sliding_window_counter,
                                         RateLimitStrategy::gcra));

}  // namespace
}  // namespace aifd::services
