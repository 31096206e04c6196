#include "aifd/net/retry.hpp"

#include <gtest/gtest.h>

namespace aifd::net {
namespace {

using std::chrono::milliseconds;

protocol::RequestHead request(std::string_view method, bool has_idempotency_key = false) {
  protocol::RequestHead head;
  head.method = method;
  if (has_idempotency_key) head.fields.add("idempotency-key", "7");
  return head;
}

Error error(ErrorKind kind, bool retryable, ErrorSource source = ErrorSource::upstream) {
  return {kind, source, retryable, ""};
}

const Error kRefused = error(ErrorKind::upstream_unreachable, true);
const Error kBroke = error(ErrorKind::upstream_broke, false);

TEST(IsIdempotent, IsByMethodOrKey) {
  for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}) {
    EXPECT_TRUE(is_idempotent(request(method))) << method;
  }
  for (const std::string_view method : {"POST", "PATCH", "get", "PURGE", ""}) {
    EXPECT_FALSE(is_idempotent(request(method))) << method;
    EXPECT_TRUE(is_idempotent(request(method, true))) << method;
  }
}

TEST(MayRetry, FollowsTheTable) {
  struct Case {
    const char* name;
    Error error;
    FailedAttempt attempt;
    protocol::RequestHead request;
    bool expected;
  };
  const Case cases[] = {
      {"nothing arrived, POST", kRefused, {}, request("POST"), true},
      {"nothing arrived, GET", kRefused, {}, request("GET"), true},
      {"may have arrived, POST", kBroke, {}, request("POST"), false},
      {"may have arrived, POST with a key", kBroke, {}, request("POST", true), true},
      {"may have arrived, GET", kBroke, {}, request("GET"), true},
      {"may have arrived, PATCH", kBroke, {}, request("PATCH"), false},
      {"an answer has begun, GET", kBroke, {1, true, true}, request("GET"), false},
      {"an answer has begun, not one byte went up",
       kRefused,
       {1, true, true},
       request("GET"),
       false},
      {"the body is gone, GET", kBroke, {1, false, false}, request("GET"), false},
      {"the body is gone, nothing arrived", kRefused, {1, false, false}, request("POST"), false},
      {"third attempt failed", kRefused, {3, true, false}, request("POST"), true},
      {"fourth attempt failed", kRefused, {4, true, false}, request("POST"), false},
      {"fourth attempt failed, GET", kBroke, {4, true, false}, request("GET"), false},
      {"upstream silent, GET",
       error(ErrorKind::upstream_first_byte_timeout, false),
       {},
       request("GET"),
       false},
      {"upstream not HTTP, GET",
       error(ErrorKind::upstream_malformed, false),
       {},
       request("GET"),
       false},
      {"client left",
       error(ErrorKind::client_gone, true, ErrorSource::client),
       {},
       request("GET"),
       false},
      {"fault of ours",
       error(ErrorKind::internal, true, ErrorSource::aifd),
       {},
       request("GET"),
       false},
      {"not connected in time, POST",
       error(ErrorKind::upstream_connect_timeout, true),
       {},
       request("POST"),
       true},
      {"TLS not finished, POST", error(ErrorKind::upstream_tls, true), {}, request("POST"), true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(may_retry(c.error, c.attempt, c.request), c.expected) << c.name;
  }
}

TEST(Backoff, DoublesAndShortensByAtMostAQuarter) {
  struct Case {
    unsigned attempts;
    double jitter;
    milliseconds expected;
  };
  const Case cases[] = {
      {1, 0.0, milliseconds(100)}, {2, 0.0, milliseconds(200)}, {3, 0.0, milliseconds(400)},
      {1, 0.5, milliseconds(87)},  {3, 0.5, milliseconds(350)}, {0, 0.0, milliseconds(100)},
  };
  for (const Case& c : cases) EXPECT_EQ(backoff(c.attempts, c.jitter), c.expected);
  EXPECT_GE(backoff(1, 0.999), milliseconds(75));
  EXPECT_LE(backoff(1000, 0.0), std::chrono::seconds(13)) << "no overflow, no endless wait";
}

}  // namespace
}  // namespace aifd::net
