#include "aifd/protocol/head_parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "aifd/protocol/framing.hpp"

namespace aifd::protocol {
namespace {

TEST(ParseRequestHead, ReadsLineAndFields) {
  const std::string text =
      "POST /v1/a?b=c HTTP/1.1\r\nHost: example.org\r\nEmpty:\r\nX:\t spaced \t value \t\r\n"
      "x: second\r\n\r\n";
  const auto head = parse_request_head(text);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1/a?b=c");
  EXPECT_EQ(head->version_minor, 1U);
  ASSERT_EQ(head->fields.size(), 4U);
  EXPECT_EQ(head->fields.get("host"), "example.org");
  EXPECT_EQ(head->fields.get("Empty"), "");
  EXPECT_EQ(head->fields.get("X"), "spaced \t value");
  EXPECT_EQ((head->fields.end() - 1)->value, "second");
  EXPECT_GE(head->target.data(), text.data());
}

TEST(ParseRequestHead, ReadsVersions) {
  const auto older = parse_request_head("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(older);
  EXPECT_EQ(older->version_minor, 0U);
  EXPECT_TRUE(older->fields.empty());
}

TEST(ParseRequestHead, RefusesOtherFirstLines) {
  for (const std::string line : {
           "GET /",
           "GET  / HTTP/1.1",
           "GET /  HTTP/1.1",
           " GET / HTTP/1.1",
           "GET / HTTP/1.1 ",
           "GET / a HTTP/1.1",
           "GET HTTP/1.1",
           "GET  HTTP/1.1",
           "GE(T / HTTP/1.1",
           "G\xC3\x89T / HTTP/1.1",
           "GET / HTTP/1.2",
           "GET / HTTP/2.0",
           "GET / HTTP/0.9",
           "GET / HTTP/1.10",
           "GET / HTTP/1.",
           "GET / http/1.1",
           "GET / XTTP/1.1",
           "HTTP/1.1 200 OK",
       }) {
    const auto head = parse_request_head(line + "\r\nHost: a\r\n\r\n");
    ASSERT_FALSE(head) << line;
    EXPECT_EQ(head.error().kind, ErrorKind::bad_request) << line;
    EXPECT_EQ(head.error().source, ErrorSource::client) << line;
  }
}

TEST(ParseRequestHead, RefusesWhatMayStandInNoHead) {
  for (const std::string rest : {"Host : a\r\n\r\n", "Host: a\r\n b\r\n\r\n", "Host: a\n\r\n",
                                 "Host: a\r\r\n\r\n", "Host: a\r\n", "\r\nmore", ""}) {
    EXPECT_FALSE(parse_request_head("GET / HTTP/1.1\r\n" + rest)) << rest;
  }
  const auto large =
      parse_request_head("GET / HTTP/1.1\r\nA: " + std::string(kMaxHeadBytes, 'x') + "\r\n\r\n");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::head_too_large);
}

TEST(ParseResponseHead, ReadsLineAndFields) {
  const auto head =
      parse_response_head("HTTP/1.1 404 Not \xC3\xA7\x61 Found\r\nServer: a\r\nB:c:d\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 404);
  EXPECT_EQ(head->reason, "Not \xC3\xA7\x61 Found");
  EXPECT_EQ(head->version_minor, 1U);
  EXPECT_EQ(head->fields.get("B"), "c:d");
}

TEST(ParseResponseHead, TakesAnEmptyReason) {
  const auto head = parse_response_head("HTTP/1.0 200 \r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->reason, "");
  EXPECT_EQ(head->version_minor, 0U);
}

TEST(ParseResponseHead, RefusesAllElseAsTheUpstreams) {
  for (const std::string text : {
           "HTTP/1.1 200\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 +20 OK\r\n\r\n",
           "HTTP/2 200 OK\r\n\r\n",
           "HTTP/1.2 200 OK\r\n\r\n",
           "http/1.1 200 OK\r\n\r\n",
           "ICY 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\n\r\n",
       }) {
    const auto head = parse_response_head(text);
    ASSERT_FALSE(head) << text;
    EXPECT_EQ(head.error().kind, ErrorKind::upstream_malformed) << text;
    EXPECT_EQ(head.error().source, ErrorSource::upstream) << text;
  }
}

}  // namespace
}  // namespace aifd::protocol
