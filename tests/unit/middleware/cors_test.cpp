#include "aifd/middleware/cors.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::TestExchange;

const Cors kAny({});
const Cors kOne({"https://chat.example"});

constexpr const char* kFromChat = "GET /v1/models\nOrigin: https://chat.example";
constexpr const char* kFromElsewhere = "GET /v1/models\nOrigin: https://other.example";

std::string preflight(const std::string& origin) {
  return "OPTIONS /v1/models\nOrigin: " + origin + "\nAccess-Control-Request-Method: POST";
}

class CorsAnswer : public testing::Test {
 protected:
  // What the client gets of an upstream's answer. The fields are good as long as the test.
  protocol::Fields answered(const Cors& link, const char* request, bool upstream_has_cors = false) {
    TestExchange& exchange = exchanges_.emplace_back(request);
    EXPECT_TRUE(test::passed(exchange.run(link)));
    protocol::ResponseHead head;
    head.status = 200;
    if (upstream_has_cors) {
      head.fields.add("access-control-allow-origin", "*");
      head.fields.add("access-control-allow-credentials", "true");
      head.fields.add("access-control-expose-headers", "x-theirs");
    }
    for (const auto& tap : exchange->taps()) tap->on_head(head);
    return head.fields;
  }

 private:
  std::deque<TestExchange> exchanges_;
};

TEST_F(CorsAnswer, LeavesRequestsOfNoPageAlone) {
  const protocol::Fields fields = answered(kAny, "GET /v1/models");
  EXPECT_TRUE(fields.empty());
}

TEST_F(CorsAnswer, MarksAnswersForAnyOrigin) {
  const protocol::Fields fields = answered(kAny, kFromElsewhere);
  EXPECT_EQ(fields.get("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(fields.get("Access-Control-Expose-Headers"), "*");
  EXPECT_FALSE(fields.contains("Vary"));
  EXPECT_FALSE(fields.contains("Access-Control-Allow-Credentials"));
}

TEST_F(CorsAnswer, NarrowedMarksAnswersForItsOriginsAloneAndSaysThatTheyVary) {
  const protocol::Fields fields = answered(kOne, kFromChat);
  EXPECT_EQ(fields.get("Access-Control-Allow-Origin"), "https://chat.example");
  EXPECT_EQ(fields.get("Vary"), "Origin");
  for (const char* origin : {"https://other.example", "https://chat.example.evil.test",
                             "http://chat.example", "https://chat.example:8443", "null"}) {
    const std::string request = std::string("GET /v1/models\nOrigin: ") + origin;
    EXPECT_FALSE(answered(kOne, request.c_str()).contains("Access-Control-Allow-Origin")) << origin;
  }
}

TEST_F(CorsAnswer, PutsItsOwnFieldsInThePlaceOfTheUpstreams) {
  const protocol::Fields fields = answered(kOne, kFromChat, true);
  EXPECT_EQ(fields.get("Access-Control-Allow-Origin"), "https://chat.example");
  EXPECT_EQ(fields.count("Access-Control-Allow-Origin"), 1U);
  EXPECT_EQ(fields.get("Access-Control-Expose-Headers"), "*");
  EXPECT_FALSE(fields.contains("Access-Control-Allow-Credentials"));
}

TEST_F(CorsAnswer, LetsNoUpstreamAllowAnOriginThatIsNotAllowedHere) {
  const protocol::Fields fields = answered(kOne, kFromElsewhere, true);
  EXPECT_FALSE(fields.contains("Access-Control-Allow-Origin"));
  EXPECT_FALSE(fields.contains("Access-Control-Allow-Credentials"));
  EXPECT_EQ(fields.get("Vary"), "Origin");
}

TEST(Cors, AnswersPreflightsHere) {
  struct Case {
    const Cors& link;
    const char* asked;
    std::string_view origin, headers, vary;
  };
  const Case cases[] = {
      {kAny, "", "*", "*", ""},
      {kAny, "authorization, x-custom", "*", "authorization, x-custom", ""},
      {kOne, "authorization", "https://chat.example", "authorization", "Origin"},
  };
  for (const Case& c : cases) {
    std::string request = preflight("https://chat.example");
    if (*c.asked != '\0') request += std::string("\nAccess-Control-Request-Headers: ") + c.asked;
    TestExchange exchange(request);
    auto verdict = exchange.run(c.link);
    const chain::Reply& reply = test::answer_of(verdict);
    EXPECT_EQ(reply.head.status, 204);
    EXPECT_EQ(reply.body, nullptr);
    const protocol::Fields& fields = reply.head.fields;
    EXPECT_EQ(fields.get("Access-Control-Allow-Origin"), c.origin);
    EXPECT_EQ(fields.get("Access-Control-Allow-Headers"), c.headers);
    EXPECT_EQ(fields.get("Vary"), c.vary);
    EXPECT_FALSE(fields.contains("Access-Control-Allow-Credentials"));
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      EXPECT_TRUE(protocol::has_token(fields, "Access-Control-Allow-Methods", method)) << method;
    }
  }
}

TEST(Cors, AnswersAPreflightOfAnotherOriginWithoutAllowingAnything) {
  TestExchange exchange(preflight("https://other.example"));
  auto verdict = exchange.run(kOne);
  ASSERT_FALSE(test::passed(verdict)) << "the upstream might allow it";
  const chain::Reply& reply = test::answer_of(verdict);
  EXPECT_EQ(reply.head.status, 204);
  EXPECT_FALSE(reply.head.fields.contains("Access-Control-Allow-Origin"));
}

TEST(Cors, PassesAnOptionsRequestThatIsNoPreflight) {
  TestExchange exchange("OPTIONS /v1/models\nOrigin: https://chat.example");
  EXPECT_TRUE(test::passed(exchange.run(kAny)));
}

}  // namespace
}  // namespace aifd::middleware
