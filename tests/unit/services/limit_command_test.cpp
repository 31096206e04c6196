#include "limit_command.hpp"

#include <gtest/gtest.h>

#include "limit_scripts.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;
using namespace std::chrono_literals;
using Arguments = std::vector<std::string_view>;

constexpr chain::CallerId kCaller{0, 0xff, 0x10};
constexpr std::string_view kHex = "{00ff1000000000000000000000000000}";

RedisReply integers(std::initializer_list<std::int64_t> values) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::array;
  for (const std::int64_t value : values) {
    reply.items.push_back({RedisReply::Kind::integer, value, {}, {}});
  }
  return reply;
}

TEST(LimitCommand, NamesKeysByCallerRouteStrategyAndLimit) {
  const LimitRule rule{0, "/v1", {{100, 120s}, {5, 1s}}};
  const LimitCommand command(RateLimitStrategy::fixed_window, kCaller, rule);
  const std::string key = "aifd:limit:" + std::string(kHex) + ":/v1:f:";
  EXPECT_EQ(command.arguments("EVALSHA", "digest"),
            (Arguments{"EVALSHA", "digest", "2", key + "100/120", key + "5/1", "0", "100",
                       "120000000", "5", "1000000"}));
}

TEST(LimitCommand, KeepsStrategiesApart) {
  std::string letters;
  for (const RateLimitStrategy strategy :
       {RateLimitStrategy::fixed_window, RateLimitStrategy::moving_window,
        RateLimitStrategy::fixed_window_elastic_expiry, RateLimitStrategy::sliding_window_counter,
        RateLimitStrategy::gcra}) {
    const LimitCommand command(strategy, kCaller, {0, "/", {{1, 1s}}});
    const std::string key(command.arguments("", "")[3]);
    letters += key.substr(key.size() - 5, 1);
  }
  EXPECT_EQ(letters, "fmesg");
}

TEST(LimitCommand, NamesEqualLimitsOnceAndCountsNoFurtherThanADouble) {
  const LimitRule rule{0, "/", {{~std::uint64_t{0}, 1s}, {~std::uint64_t{0}, 1s}}};
  const LimitCommand command(RateLimitStrategy::gcra, kCaller, rule, 77);
  const Arguments arguments = command.arguments("EVAL", "text");
  ASSERT_EQ(arguments.size(), 7U);
  EXPECT_EQ(arguments[2], "1");
  EXPECT_EQ(arguments[4], "77");
  EXPECT_EQ(arguments[5], "9007199254740991");
}

TEST(LimitCommand, ReadsADecision) {
  const LimitCommand command(RateLimitStrategy::gcra, kCaller, {0, "/", {{3, 1s}, {9, 60s}}});
  const LimitDecision refused = command.read(integers({0, 1, 0, 1500, 7})).value();
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.limit, 9U);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.reset, 1500us);
  EXPECT_EQ(refused.retry_after, 7us);
  EXPECT_TRUE(command.read(integers({1, 0, 2, 5, 0}))->admitted);
}

TEST(LimitCommand, RefusesOtherAnswers) {
  const LimitCommand command(RateLimitStrategy::gcra, kCaller, {0, "/", {{3, 1s}}});
  RedisReply text = integers({1, 0, 1, 1, 0});
  text.items[2].kind = RedisReply::Kind::text;
  EXPECT_FALSE(command.read(text));
  EXPECT_FALSE(command.read(RedisReply()));
  EXPECT_FALSE(command.read(integers({1, 0, 1, 1})));
  EXPECT_FALSE(command.read(integers({1, 1, 1, 1, 0})));
  EXPECT_FALSE(command.read(integers({1, 0, -1, 1, 0})));
}

TEST(LimitScript, HasTheDigestThatRedisGivesIt) {
  EXPECT_EQ(sha1_hex("return 1"), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

}  // namespace
}  // namespace aifd::services
