// Requests as bytes, through everything that judges a head: what Beast lets pass and a proxy must
// not is refused, what real clients send is taken.
#include <gtest/gtest.h>

#include "aifd/net/request_reader.hpp"

namespace aifd::net {
namespace {

using protocol::BodyFraming;
using protocol::BodyKind;
using std::string_literals::operator""s;

const BodyFraming kNoBody{};
const BodyFraming kChunked{BodyKind::chunked, 0};

BodyFraming length(std::uint64_t bytes) {
  return {BodyKind::length, bytes};
}

constexpr std::uint64_t kMostBodyBytes = std::numeric_limits<std::uint64_t>::max();

// The bytes must outlive what is looked at in the head.
Request read(const std::string& bytes) {
  return read_request(Result<std::string_view>(std::string_view(bytes)), kMostBodyBytes);
}

std::string post(const std::string& fields) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string get(const std::string& target, const std::string& fields = "Host: a\r\n") {
  return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}

struct Refused {
  std::string bytes;
  int status;
};

void expect_refused(const std::vector<Refused>& cases) {
  for (const Refused& c : cases) {
    const Request request = read(c.bytes);
    const std::string shown = testing::PrintToString(c.bytes.substr(0, 200));
    ASSERT_TRUE(request.refused) << shown;
    EXPECT_EQ(error_status(request.refused->kind), c.status) << shown;
    EXPECT_EQ(request.refused->source, ErrorSource::client) << shown;
    EXPECT_FALSE(request.refused->retryable) << shown;
    EXPECT_FALSE(request.refused->detail.empty()) << shown;
    EXPECT_FALSE(request.framing.keep_alive) << "what follows is unknown: " << shown;
  }
}

TEST(ReadRequestRefuses, TransferEncodingThatIsNotExactlyChunked) {
  expect_refused({
      {post("Transfer-Encoding: chunked, identity\r\n"), 400},
      {post("Transfer-Encoding: identity\r\n"), 501},
      {post("Transfer-Encoding: xchunked\r\n"), 501},
      {post("Transfer-Encoding: \r\n"), 400},
      {post("Transfer-Encoding:\r\n"), 400},
      {post("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {post("Transfer-Encoding: gzip\r\n"), 501},
      {post("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {post("Transfer-Encoding: chunked,\r\n"), 501},
      {post("Transfer-Encoding: ,chunked\r\n"), 501},
      {post("Transfer-Encoding: chunked;q=1\r\n"), 400},
      {post("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {post("Transfer-Encoding: \x0B"
            "chunked\r\n"),
       400},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
      {post("Transfer-Encoding : chunked\r\n"), 400},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
  });
}

TEST(ReadRequestRefuses, TwoWaysToTellWhereTheBodyEnds) {
  expect_refused({
      {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
      {post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400},
      {post("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
      {post("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
      {post("Content-Length: 3\r\ncontent-length: 3\r\n"), 400},
      {post("Content-Length: 3, 3\r\n"), 400},
      {post("Content-Length: 3,4\r\n"), 400},
  });
}

TEST(ReadRequestRefuses, LengthsThatAreNoPlainNumber) {
  expect_refused({
      {post("Content-Length: +3\r\n"), 400},
      {post("Content-Length: -3\r\n"), 400},
      {post("Content-Length: \r\n"), 400},
      {post("Content-Length: 3 3\r\n"), 400},
      {post("Content-Length: 0x3\r\n"), 400},
      {post("Content-Length: 3.0\r\n"), 400},
      {post("Content-Length: 3a\r\n"), 400},
      {post("Content-Length: 9223372036854775808\r\n"), 400},
      {post("Content-Length: 18446744073709551616\r\n"), 400},
      {post("Content-Length: 99999999999999999999999999\r\n"), 400},
      {post("Content-Length : 3\r\n"), 400},
      {post("Content-Length\t: 3\r\n"), 400},
  });
}

TEST(ReadRequestRefuses, HostsThatAreNotExactlyOne) {
  expect_refused({
      {get("/", ""), 400},
      {get("/", "Host: a\r\nHost: a\r\n"), 400},
      {get("/", "Host: a\r\nHost: b\r\n"), 400},
      {get("/", "Host: \r\n"), 400},
      {get("/", "Host: a b\r\n"), 400},
      {get("/", "Host: a/b\r\n"), 400},
      {get("/", "Host: user@a\r\n"), 400},
      {get("/", "Host: a,b\r\n"), 400},
      {get("/", "Host: a:99999x\r\n"), 400},
  });
}

TEST(ReadRequestRefuses, TargetsThatAreNoPathOfThisServer) {
  expect_refused({
      {get("v1/models"), 400},
      {get("a:443"), 400},
      {get("*"), 400},
      {get("ftp://a/"), 400},
      {get("http://b/v1"), 421},
      {get("https://a:8443/v1"), 421},
      {get("http://user@a/"), 400},
      {get("http:///v1"), 400},
      {get("/a b"), 400},
      {get("/a#b"), 400},
      {get("/\xC3\xA9"), 400},
      {get("/a\tb"), 400},
      {get("/../v1"), 400},
      {get("/a/%2e%2e/b"), 400},
      {get("/a\\..\\b"), 400},
      {get("/%zz"), 400},
      {get(""), 400},
  });
}

TEST(ReadRequestRefuses, MethodsThatAreNotServed) {
  expect_refused({
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {" / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(ReadRequestRefuses, RequestLinesOfOtherProtocols) {
  expect_refused({
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /\r\nHost: a\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\n", 400},
      {"\x16\x03\x01\x02\r\n\r\n", 400},
      {"\r\n\r\n", 400},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(ReadRequestRefuses, BytesThatServersReadDifferently) {
  expect_refused({
      {get("/", "Host: a\r\nX-A: b\r\n folded\r\n"), 400},
      {get("/", "Host: a\r\nX-A: b\r\n\tfolded\r\n"), 400},
      {get("/", " Host: a\r\n"), 400},
      {get("/", "Host: a\r\nX-A : b\r\n"), 400},
      {get("/", "Host: a\r\nX A: b\r\n"), 400},
      {get("/", "Host: a\r\n: b\r\n"), 400},
      {get("/", "Host: a\r\nX-A\r\n"), 400},
      {get("/", "Host: a\r\nX\xC3\xA9: b\r\n"), 400},
      {get("/", "Host: a\r\nX-A: b\0c\r\n"s), 400},
      {get("/", "Host: a\r\nX\0A: b\r\n"s), 400},
      {get("/", "Host: a\r\nX-A: b\x01\r\n"), 400},
      {get("/", "Host: a\r\nX-A: b\x7F\r\n"), 400},
      {get("/", "Host: a\r\nX-A: b\rc\r\n"), 400},
      {get("/", "Host: a\r\nX-A: b\nTransfer-Encoding: chunked\r\n"), 400},
      {"GET / HTTP/1.1\nHost: a\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
  });
}

TEST(ReadRequestRefuses, ExpectationsAndConnectionListsOutOfBounds) {
  std::string options = "x";
  for (int i = 0; i < 64; ++i) options += ",x";
  expect_refused({
      {post("Expect: 200-ok\r\n"), 400},
      {post("Expect: 100-continue, x\r\n"), 400},
      {get("/", "Host: a\r\nConnection: " + options + "\r\n"), 400},
  });
}

std::string many_fields(std::size_t count) {
  std::string fields;
  for (std::size_t i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
  return fields;
}

// A head of that many bytes altogether.
std::string head_of(std::size_t size, const std::string& before, const std::string& after) {
  return before + std::string(size - before.size() - after.size(), 'x') + after;
}

TEST(ReadRequest, TakesHeadsUpToTheirLimitsAndNoFurther) {
  const std::string before = "GET / HTTP/1.1\r\nHost: a\r\nX-Long: ";
  const std::string name = "GET / HTTP/1.1\r\nHost: a\r\nX-";
  const std::string target = "GET /";
  const std::string end = "\r\n\r\n";
  EXPECT_FALSE(read(head_of(65536, before, end)).refused);
  EXPECT_FALSE(read(head_of(65536, name, ": v" + end)).refused);
  EXPECT_FALSE(read(head_of(65536, target, " HTTP/1.1\r\nHost: a" + end)).refused);
  EXPECT_FALSE(read(get("/", "Host: a\r\n" + many_fields(255))).refused);
  expect_refused({
      {head_of(65537, before, end), 431},
      {head_of(65537, name, ": v" + end), 431},
      {head_of(65537, target, " HTTP/1.1\r\nHost: a" + end), 431},
      {head_of(200'000, before, end), 431},
      {get("/", "Host: a\r\n" + many_fields(256)), 431},
      {get("/", "Host: a\r\n" + many_fields(10'000)), 431},
  });
}

TEST(ReadRequest, WritesStandardMethodsInCapitals) {
  for (const char* method : {"get", "Get", "GET"}) {
    const std::string bytes = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
    EXPECT_EQ(read(bytes).head.method, "GET");
  }
  const std::string custom = "custom / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(read(custom).head.method, "custom");
  const std::string connect = "connect a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
  EXPECT_TRUE(read(connect).refused);
}

TEST(ReadRequest, RefusesABodyThatIsDeclaredTooLarge) {
  const std::string bytes = post("Content-Length: 11\r\n");
  EXPECT_FALSE(read_request(std::string_view(bytes), 11).refused);
  const Request request = read_request(std::string_view(bytes), 10);
  ASSERT_TRUE(request.refused);
  EXPECT_EQ(request.refused->kind, ErrorKind::body_too_large);
}

TEST(ReadRequest, PassesOnWhyNoHeadCame) {
  const Request request = read_request(
      Error{ErrorKind::client_timeout, ErrorSource::client, false, "slow"}, kMostBodyBytes);
  ASSERT_TRUE(request.refused);
  EXPECT_EQ(request.refused->kind, ErrorKind::client_timeout);
  EXPECT_FALSE(request.framing.keep_alive);
}

TEST(ReadRequest, KeepsMethodAndTargetOfARefusedRequestForTheLog) {
  const std::string bytes = post("Content-Length: 3, 3\r\n");
  const Request request = read(bytes);
  ASSERT_TRUE(request.refused);
  EXPECT_EQ(request.head.method, "POST");
  EXPECT_EQ(request.head.target, "/v1/chat/completions");
}

struct Accepted {
  std::string bytes;
  BodyFraming body;
  bool keep_alive = true;
};

TEST(ReadRequestAccepts, WhatClientsSendWithItsFraming) {
  const Accepted cases[] = {
      {get("/"), kNoBody},
      {get("/", "host: a\r\n"), kNoBody},
      {get("/", "HOST:a\r\n"), kNoBody},
      {get("/", "Host:   a  \r\n"), kNoBody},
      {get("/", "Host: a\r\nX-Empty:\r\n"), kNoBody},
      {get("/", "Host: a\r\nX-Latin: caf\xE9\r\n"), kNoBody},
      {get("/", "Host: a\r\nX-Tab: a\tb\r\n"), kNoBody},
      {post(""), kNoBody},
      {post("Content-Length: 0\r\n"), length(0)},
      {post("Content-Length: 3\r\n"), length(3)},
      {post("Content-Length: 003\r\n"), length(3)},
      {post("Content-Length: 9223372036854775807\r\n"), length(9223372036854775807U)},
      {post("Transfer-Encoding: chunked\r\n"), kChunked},
      {post("transfer-encoding: Chunked\r\n"), kChunked},
      {post("Transfer-Encoding:chunked \t\r\n"), kChunked},
      {get("/", "Host: a\r\nConnection: close\r\n"), kNoBody, false},
      {get("/", "Host: a\r\nConnection: keep-alive\r\n"), kNoBody},
      {"GET / HTTP/1.0\r\n\r\n", kNoBody, false},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", kNoBody, true},
      {"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n", length(2), false},
      {get("http://a/v1"), kNoBody},
      {get("HTTP://A:80/v1"), kNoBody},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", kNoBody},
      {"PATCH /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", length(1)},
      {"PURGE /x HTTP/1.1\r\nHost: a\r\n\r\n", kNoBody},
  };
  for (const Accepted& c : cases) {
    const Request request = read(c.bytes);
    EXPECT_FALSE(request.refused) << c.bytes << request.refused->detail;
    EXPECT_EQ(request.framing.body, c.body) << c.bytes;
    EXPECT_EQ(request.framing.keep_alive, c.keep_alive) << c.bytes;
  }
}

TEST(ReadRequestAccepts, AbsoluteTargetsAsTheirPath) {
  const std::string bytes = get("http://a//v1/models/?x=%20");
  const Request request = read(bytes);
  ASSERT_FALSE(request.refused);
  EXPECT_EQ(request.target.path, "/v1/models");
  EXPECT_EQ(request.target.query, "x=%20");
}

TEST(ReadRequestAccepts, ContinueAndUpgradeOnlyInHttp11) {
  const Request modern = read(post("Expect: 100-Continue\r\nContent-Length: 1\r\n"));
  EXPECT_TRUE(modern.framing.expects_continue);
  const Request old = read("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  EXPECT_FALSE(old.refused);
  EXPECT_FALSE(old.framing.expects_continue);
  EXPECT_TRUE(read(get("/", "Host: a\r\nConnection: x, Upgrade\r\nUpgrade: websocket\r\n"))
                  .framing.wants_upgrade);
  EXPECT_FALSE(read(get("/", "Host: a\r\nUpgrade: websocket\r\n")).framing.wants_upgrade);
}

}  // namespace
}  // namespace aifd::net
