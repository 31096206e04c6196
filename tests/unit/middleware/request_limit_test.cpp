#include "aifd/middleware/request_limit.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using namespace std::chrono_literals;
using services::LimitDecision;
using test::TestExchange;

services::LimitRules rules(const char* limit) {
  config::RouteLimits limits;
  limits["/v1/chat"] = {{std::nullopt, config::parse_rate_limits(limit).value()}};
  return {limits, {}, {"/"}};
}

std::string_view answered(const protocol::ResponseHead& head, std::string_view name) {
  return head.fields.get(name);
}

TEST(RequestLimitReply, TellsWhenToComeAgain) {
  TestExchange exchange("POST /v1/chat");
  const services::LimitRule rule{0, "/v1", config::parse_rate_limits("9/hour;5/minute").value()};
  Result<chain::Verdict> verdict =
      apply(*exchange, rule,
            {.admitted = false, .limit = 5, .remaining = 0, .reset = 90s, .retry_after = 61500ms});
  const chain::Reply& reply = test::answer_of(verdict);
  EXPECT_EQ(reply.head.status, 429);
  EXPECT_EQ(answered(reply.head, "Retry-After"), "62");
  EXPECT_EQ(answered(reply.head, "retry-after-ms"), "61500");
  EXPECT_EQ(answered(reply.head, "x-should-retry"), "false");
  EXPECT_EQ(answered(reply.head, "x-ratelimit-limit-requests"), "5");
  EXPECT_EQ(answered(reply.head, "x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(answered(reply.head, "x-ratelimit-reset-requests"), "1m30s");
  ASSERT_TRUE(exchange->progress.error);
  EXPECT_EQ(exchange->progress.error->kind, ErrorKind::rate_limited);
  EXPECT_EQ(exchange->progress.error->detail,
            "Rate limit reached for requests to /v1: limit 5/minute. Please try again in 1m2s.");
}

TEST(RequestLimitReply, NamesTheRightOneOfTwoLimitsWithOneCount) {
  const services::LimitRule rule{0, "/v1", config::parse_rate_limits("5/second;5/minute").value()};
  const auto text = [&](Clock::duration wait) {
    TestExchange exchange("POST /v1/chat");
    EXPECT_TRUE(apply(*exchange, rule, {.admitted = false, .limit = 5, .retry_after = wait}));
    return exchange->progress.error->detail;
  };
  EXPECT_NE(text(500ms).find("limit 5/second."), std::string::npos);
  EXPECT_NE(text(30s).find("limit 5/minute."), std::string::npos);
}

protocol::ResponseHead shown(int status, const char* upstreams_limit) {
  TestExchange exchange("POST /v1/chat");
  EXPECT_TRUE(test::passed(
      apply(*exchange, services::LimitRule{}, {.limit = 5, .remaining = 4, .reset = 1s})));
  protocol::ResponseHead head;
  head.status = status;
  if (upstreams_limit != nullptr) head.fields.add("X-RateLimit-Limit-Requests", upstreams_limit);
  for (const auto& tap : exchange->taps()) tap->on_head(head);
  head.fields.set("x-seen",
                  head.fields.get("x-ratelimit-limit-requests") == "5" ? "ours" : "theirs");
  EXPECT_LE(head.fields.count("x-ratelimit-limit-requests"), 1U);
  return head;
}

TEST(RequestLimitFields, AreOursButOnAnErrorThatHasItsOwn) {
  EXPECT_EQ(shown(200, nullptr).fields.get("x-seen"), "ours");
  EXPECT_EQ(shown(200, "10000").fields.get("x-seen"), "ours");
  EXPECT_EQ(shown(500, nullptr).fields.get("x-seen"), "ours");
  EXPECT_EQ(shown(429, "10000").fields.get("x-seen"), "theirs");
}

TEST(RequestLimit, CountsByCallerAndRule) {
  services::MemoryLimiter limiter(config::RateLimitStrategy::fixed_window);
  const RequestLimit link(rules("2/hour"), limiter);
  const auto admitted = [&](const char* request, unsigned char caller) {
    TestExchange exchange(request);
    exchange->route.prefix = "/";
    exchange->caller = {caller};
    return test::passed(exchange.run(link));
  };
  EXPECT_TRUE(admitted("POST /v1/chat/completions", 1));
  EXPECT_TRUE(admitted("POST /v1//ch%61t/x/", 1));
  EXPECT_FALSE(admitted("GET /v1/chat", 1));
  EXPECT_TRUE(admitted("GET /v1/chat", 2));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(admitted("GET /v1/models", 1));
}

}  // namespace
}  // namespace aifd::middleware
