#include "aifd/admin/health.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::admin {
namespace {

using test::TestExchange;

TEST(Health, AnswersWhoeverWatches) {
  struct Case {
    const char* request;
    bool draining;
    int status;
    std::string_view body;
  };
  const Case cases[] = {
      {"GET /healthz", false, 200, "\"OK\""},     {"GET /healthz", true, 200, "\"OK\""},
      {"GET /livez", true, 200, "\"OK\""},        {"GET /readyz", false, 200, "\"OK\""},
      {"GET /readyz", true, 503, "\"draining\""}, {"GET /healthz?x=1", false, 200, "\"OK\""},
      {"HEAD /healthz", false, 200, ""},          {"HEAD /readyz", true, 503, ""},
  };
  for (const Case& c : cases) {
    Lifecycle lifecycle;
    lifecycle.draining = c.draining;
    const Health link(lifecycle);
    TestExchange exchange(c.request);
    auto verdict = exchange.run(link);
    chain::Reply& reply = test::answer_of(verdict);
    EXPECT_EQ(reply.head.status, c.status) << c.request;
    EXPECT_EQ(reply.head.fields.get("Content-Type"), "application/json");
    EXPECT_EQ(test::body_of(reply), c.body) << c.request;
  }
}

TEST(Health, PassesAllElse) {
  const Lifecycle lifecycle;
  const Health link(lifecycle);
  for (const char* request : {"GET /", "POST /healthz", "GET /healthz/x", "GET /v1/healthz",
                              "OPTIONS /livez", "GET /HEALTHZ"}) {
    TestExchange exchange(request);
    EXPECT_TRUE(test::passed(exchange.run(link))) << request;
  }
}

}  // namespace
}  // namespace aifd::admin
