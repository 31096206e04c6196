#include <gtest/gtest.h>

#include "aifd/chain/middleware.hpp"
#include "support/test_exchange.hpp"

namespace aifd::chain {
namespace {

using protocol::BodyFraming;
using protocol::BodyKind;
using protocol::Dialect;
using test::TestExchange;

const Error kNoRoute{ErrorKind::no_route, ErrorSource::client, false, R"(Say "please".)"};

TEST(TextReply, HasItsTypeAndLength) {
  TestExchange exchange("GET /");
  Reply reply = text_reply(*exchange, 200, "OK", "text/plain", "hello");
  EXPECT_EQ(reply.head.status, 200);
  EXPECT_EQ(reply.head.reason, "OK");
  EXPECT_EQ(reply.head.fields.get("content-type"), "text/plain");
  EXPECT_EQ(reply.framing, (BodyFraming{BodyKind::length, 5}));
  EXPECT_EQ(test::body_of(reply), "hello");
}

TEST(TextReply, ToHeadHasTheLengthAndNoBody) {
  TestExchange exchange("HEAD /");
  const Reply reply = text_reply(*exchange, 200, "OK", "text/plain", "hello");
  EXPECT_EQ(reply.framing, BodyFraming{});
  EXPECT_EQ(reply.body, nullptr);
  EXPECT_EQ(reply.head.fields.get("Content-Length"), "5");
}

TEST(ErrorReply, SpeaksTheCallersDialect) {
  struct Case {
    Dialect dialect;
    std::string_view body;
  };
  const Case cases[] = {
      {Dialect::openai,
       R"({"error":{"message":"Say \"please\".","type":"invalid_request_error","param":null,"code":"not_found"}})"},
      {Dialect::anthropic,
       R"({"type":"error","error":{"type":"not_found_error","message":"Say \"please\"."},"request_id":"req_1"})"},
      {Dialect::gemini,
       R"({"error":{"code":404,"message":"Say \"please\".","status":"NOT_FOUND"}})"},
      {Dialect::ollama, R"({"error":"Say \"please\"."})"},
  };
  for (const Case& c : cases) {
    TestExchange exchange("GET /");
    exchange->dialect = c.dialect;
    Reply reply = error_reply(*exchange, kNoRoute);
    EXPECT_EQ(reply.head.status, 404);
    EXPECT_EQ(reply.head.reason, "Not Found");
    EXPECT_EQ(reply.head.fields.get("Content-Type"), "application/json");
    EXPECT_EQ(reply.framing, (BodyFraming{BodyKind::length, c.body.size()}));
    EXPECT_EQ(test::body_of(reply), c.body);
  }
}

TEST(ErrorReply, ToHeadHasNoBody) {
  TestExchange exchange("HEAD /");
  const Reply reply = error_reply(*exchange, kNoRoute);
  EXPECT_EQ(reply.head.status, 404);
  EXPECT_EQ(reply.body, nullptr);
  EXPECT_NE(reply.head.fields.get("Content-Length"), "");
}

TEST(ReasonPhrase, IsKnownForEveryStatusThatAnErrorCanHave) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind) {
    const int status = error_status(static_cast<ErrorKind>(kind));
    if (status == 499) continue;  // never sent
    EXPECT_NE(reason_phrase(status), "") << status;
  }
  EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace aifd::chain
