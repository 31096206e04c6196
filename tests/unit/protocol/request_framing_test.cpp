#include <gtest/gtest.h>

#include <string>

#include "aifd/protocol/framing.hpp"
#include "plain_head.hpp"

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

// Checks as a session does: the bytes first, then what they mean.
Result<RequestFraming> check(const std::string& text) {
  if (auto raw = check_raw_head(text); !raw) return raw.error();
  return check_request(read_request(text));
}

std::string post(const std::string& fields) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string get(const std::string& target, const std::string& host_field = "Host: a\r\n") {
  return "GET " + target + " HTTP/1.1\r\n" + host_field + "\r\n";
}

struct Accepted {
  std::string head;
  RequestFraming framing;
};

BodyFraming length(std::uint64_t bytes) {
  return {BodyKind::length, bytes};
}
const BodyFraming kNoBody{};
const BodyFraming kChunked{BodyKind::chunked, 0};

TEST(CheckRequest, AcceptsWithFraming) {
  const Accepted cases[] = {
      {get("/"), {kNoBody}},
      {get("//x"), {kNoBody}},
      {get("/", "host: a\r\n"), {kNoBody}},
      {get("/", "Host: localhost:8000\r\n"), {kNoBody}},
      {get("/", "Host: a:\r\n"), {kNoBody}},
      {get("/", "Host: [::1]:8000\r\n"), {kNoBody}},
      {get("/", "Host: [::ffff:1.2.3.4]\r\n"), {kNoBody}},
      {get("/", "Host: my_service.local\r\n"), {kNoBody}},
      {get("http://a/b"), {kNoBody}},
      {get("http://a"), {kNoBody}},
      {get("HTTP://A:80/b"), {kNoBody}},
      {get("https://a:443?x"), {kNoBody}},
      {get("http://a/", "Host: A:80\r\n"), {kNoBody}},
      {get("http://a:8000/", "Host: a:8000\r\n"), {kNoBody}},
      {"GET http://a/ HTTP/1.0\r\n\r\n", {kNoBody, false}},
      {"GET / HTTP/1.0\r\n\r\n", {kNoBody, false}},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", {kNoBody, true}},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", {kNoBody, false}},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {kNoBody}},
      {"PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", {kNoBody}},
      {post(""), {kNoBody}},
      {post("Content-Length: 0\r\n"), {length(0)}},
      {post("Content-Length: 3\r\n"), {length(3)}},
      {post("content-length:3\r\n"), {length(3)}},
      {post("Content-Length: \t3 \r\n"), {length(3)}},
      {post("Content-Length: 007\r\n"), {length(7)}},
      {post("Content-Length: 9223372036854775807\r\n"), {length(INT64_MAX)}},
      {post("Transfer-Encoding: chunked\r\n"), {kChunked}},
      {post("transfer-encoding:CHUNKED\r\n"), {kChunked}},
      {post("Transfer-Encoding: chunked \t\r\n"), {kChunked}},
      {post("Connection: close\r\n"), {kNoBody, false}},
      {post("Connection: TE, Close\r\nTE: trailers\r\n"), {kNoBody, false}},
      {post("Connection: keep-alive\r\n"), {kNoBody}},
      {post("Connection: ,\r\nConnection: close\r\n"), {kNoBody, false}},
      {post("Expect: 100-Continue\r\nContent-Length: 1\r\n"), {length(1), true, true}},
      {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", {length(1), false}},
      {get("/", "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"),
       {kNoBody, true, false, true}},
      {get("/", "Host: a\r\nConnection: keep-alive, upgrade\r\nUpgrade: websocket\r\n"),
       {kNoBody, true, false, true}},
      {get("/", "Host: a\r\nUpgrade: websocket\r\n"), {kNoBody}},
      {get("/", "Host: a\r\nConnection: upgrade\r\n"), {kNoBody}},
      {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", {kNoBody, false}},
  };
  for (const auto& c : cases) {
    const auto framing = check(c.head);
    ASSERT_TRUE(framing) << c.head << framing.error().detail;
    EXPECT_EQ(framing->body, c.framing.body) << c.head;
    EXPECT_EQ(framing->keep_alive, c.framing.keep_alive) << c.head;
    EXPECT_EQ(framing->expects_continue, c.framing.expects_continue) << c.head;
    EXPECT_EQ(framing->wants_upgrade, c.framing.wants_upgrade) << c.head;
  }
}

struct Refused {
  std::string head;
  ErrorKind kind = ErrorKind::bad_request;
};

void expect_refused(const Refused& c) {
  const auto framing = check(c.head);
  ASSERT_FALSE(framing) << c.head;
  EXPECT_EQ(error_name(framing.error().kind), error_name(c.kind)) << c.head;
  EXPECT_EQ(framing.error().source, ErrorSource::client);
  EXPECT_FALSE(framing.error().retryable);
  EXPECT_TRUE(framing.error().detail.ends_with('.')) << framing.error().detail;
}

TEST(CheckRequest, RefusesHosts) {
  const Refused cases[] = {
      {get("/", "")},
      {get("/", "Host:\r\n")},
      {get("/", "Host: a\r\nHost: a\r\n")},
      {get("/", "Host: a\r\nHost: b\r\n")},
      {get("/", "Host: a\r\nhOST: b\r\n")},
      {get("/", "Host: a, b\r\n")},
      {get("/", "Host: a b\r\n")},
      {get("/", "Host: a/b\r\n")},
      {get("/", "Host: http://a\r\n")},
      {get("/", "Host: user@a\r\n")},
      {get("/", "Host: a?b\r\n")},
      {get("/", "Host: a#b\r\n")},
      {get("/", "Host: a\\b\r\n")},
      {get("/", "Host: a:b\r\n")},
      {get("/", "Host: a:65536\r\n")},
      {get("/", "Host: a:000080\r\n")},
      {get("/", "Host: a:-1\r\n")},
      {get("/", "Host: a:80:80\r\n")},
      {get("/", "Host: :80\r\n")},
      {get("/", "Host: ::1\r\n")},
      {get("/", "Host: [::1\r\n")},
      {get("/", "Host: [::1]x\r\n")},
      {get("/", "Host: []\r\n")},
      {get("/", "Host: [fe80::1%25eth0]\r\n")},
      {get("/", "Host: caf\xC3\xA9\r\n")},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.0\r\nHost: a b\r\n\r\n"},
  };
  for (const auto& c : cases) expect_refused(c);
}

TEST(CheckRequest, RefusesTargetsAndMethods) {
  const Refused cases[] = {
      {get("")},
      {get("x")},
      {get("v1/models")},
      {get("*")},
      {get("a:80")},
      {get("?x=1")},
      {get("ftp://a/")},
      {get("http:/a")},
      {get("http://")},
      {get("http:///b")},
      {get("https://")},
      {get("http://user@a/")},
      {get("http://user:pass@a/")},
      {get("http://a:99999/")},
      {get("http://b/"), ErrorKind::misdirected},
      {get("http://a:8000/"), ErrorKind::misdirected},
      {get("https://a:80/"), ErrorKind::misdirected},
      {get("http://a/", "Host: a:443\r\n"), ErrorKind::misdirected},
      {get("http://a.evil/"), ErrorKind::misdirected},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", ErrorKind::not_implemented},
      {"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", ErrorKind::not_implemented},
      {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", ErrorKind::not_implemented},
      {"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", ErrorKind::not_implemented},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"Head / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"connect / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {" / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G\xC3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"\"GET\" / HTTP/1.1\r\nHost: a\r\n\r\n"},
  };
  for (const auto& c : cases) expect_refused(c);
}

TEST(CheckRequest, RefusesAmbiguousLengths) {
  const Refused cases[] = {
      {post("Content-Length:\r\n")},
      {post("Content-Length: 3, 3\r\n")},
      {post("Content-Length: 3,3\r\n")},
      {post("Content-Length: 3\r\nContent-Length: 3\r\n")},
      {post("Content-Length: 3\r\ncontent-length: 4\r\n")},
      {post("Content-Length: 0\r\nContent-Length: 3\r\n")},
      {post("Content-Length: +3\r\n")},
      {post("Content-Length: -3\r\n")},
      {post("Content-Length: -0\r\n")},
      {post("Content-Length: 0x3\r\n")},
      {post("Content-Length: 3.0\r\n")},
      {post("Content-Length: 3e0\r\n")},
      {post("Content-Length: 1_000\r\n")},
      {post("Content-Length: 3 3\r\n")},
      {post("Content-Length: 3;\r\n")},
      {post("Content-Length: \"3\"\r\n")},
      {post("Content-Length: 9223372036854775808\r\n")},
      {post("Content-Length: 18446744073709551615\r\n")},
      {post("Content-Length: 18446744073709551619\r\n")},
      {post("Content-Length: 00000000000000000003\r\n")},
      {post("Content-Length: " + std::string(4000, '9') + "\r\n")},
      {post("Content-Length: \xD9\xA3\r\n")},
      {post("Content-Length: 3\0\r\n"s)},
      {post("Content-Length : 3\r\n")},
      {post("Content-Length: \x0B"
            "3\r\n")},
      {post("Content-Length:\r\n 3\r\n")},
      {post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")},
      {post("Transfer-Encoding: chunked\r\nContent-Length: x\r\n")},
  };
  for (const auto& c : cases) expect_refused(c);
}

TEST(CheckRequest, RefusesDisguisedTransferCodings) {
  constexpr ErrorKind kUnknown = ErrorKind::not_implemented;
  const Refused cases[] = {
      {post("Transfer-Encoding:\r\n")},
      {post("Transfer-Encoding: ,\r\n")},
      {post("Transfer-Encoding: identity\r\n"), kUnknown},
      {post("Transfer-Encoding: xchunked\r\n"), kUnknown},
      {post("Transfer-Encoding: chunkedx\r\n"), kUnknown},
      {post("Transfer-Encoding: x\r\n"), kUnknown},
      {post("Transfer-Encoding: gzip\r\n"), kUnknown},
      {post("Transfer-Encoding: cow\r\n"), kUnknown},
      {post("Transfer-Encoding: chunk\r\n"), kUnknown},
      {post("Transfer-Encoding: gzip, chunked\r\n"), kUnknown},
      {post("Transfer-Encoding: identity, chunked\r\n"), kUnknown},
      {post("Transfer-Encoding: ,chunked\r\n"), kUnknown},
      {post("Transfer-Encoding: chunked,\r\n"), kUnknown},
      {post("Transfer-Encoding: chunked, identity\r\n")},
      {post("Transfer-Encoding: chunked, gzip\r\n")},
      {post("Transfer-Encoding: chunked, chunked\r\n")},
      {post("Transfer-Encoding: chunked,chunked\r\n")},
      {post("Transfer-Encoding: chunked;\r\n")},
      {post("Transfer-Encoding: chunked;q=1\r\n")},
      {post("Transfer-Encoding: \"chunked\"\r\n")},
      {post("Transfer-Encoding: chunked chunked\r\n")},
      {post("Transfer-Encoding: chunked identity\r\n")},
      {post("Transfer-Encoding: chunked\tx\r\n")},
      {post("Transfer-Encoding: (chunked)\r\n")},
      {post("Transfer-Encoding: \xFF"
            "chunked\r\n")},
      {post("Transfer-Encoding: \xE2\x84\xAA"
            "chunked\r\n")},
      {post("Transfer-Encoding: \x0B"
            "chunked\r\n")},
      {post("Transfer-Encoding: \x0C"
            "chunked\r\n")},
      {post("Transfer-Encoding: \x01"
            "chunked\r\n")},
      {post("Transfer-Encoding: \x7F"
            "chunked\r\n")},
      {post("Transfer-Encoding: chunked\x0B\r\n")},
      {post("Transfer-Encoding: chunked\0\r\n"s)},
      {post("Transfer-Encoding: \0chunked\r\n"s)},
      {post("Transfer-Encoding: chunked\r\r\n")},
      {post("Transfer-Encoding: \rchunked\r\n")},
      {post("Transfer-Encoding: \nchunked\r\n")},
      {post("Transfer-Encoding:\n chunked\r\n")},
      {post("Transfer-Encoding:\r\n chunked\r\n")},
      {post("Transfer-Encoding: x\r\n chunked\r\n")},
      {post("Transfer-Encoding : chunked\r\n")},
      {post("Transfer-Encoding\t: chunked\r\n")},
      {post("Transfer-Encoding\r: chunked\r\n")},
      {post("Transfer-Encoding\0: chunked\r\n"s)},
      {post("Transfer-Encoding\xA0: chunked\r\n")},
      {post("Transfer-Encoding\x1F: chunked\r\n")},
      {post(" Transfer-Encoding: chunked\r\n")},
      {post("\tTransfer-Encoding: chunked\r\n")},
      {post("\x0BTransfer-Encoding: chunked\r\n")},
      {post("X: y\nTransfer-Encoding: chunked\r\n")},
      {post("X: y\rTransfer-Encoding: chunked\r\n")},
      {post("X: y\r\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\nX: y\r\n")},
      {post("Transfer Encoding: chunked\r\n")},
      {post("Transfer-Encoding\r\n: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
      {post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")},
      {post("Transfer-Encoding: x\r\nTransfer-encoding: chunked\r\n")},
      {post("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n")},
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
  };
  for (const auto& c : cases) expect_refused(c);
}

TEST(CheckRequest, RefusesOtherExpectations) {
  for (const std::string value : {"", "100-continue, x", "200-ok", "100-continue;q", "x"}) {
    expect_refused({post("Expect: " + value + "\r\n")});
  }
  expect_refused({post("Expect: 100-continue\r\nExpect: x\r\n")});
}

TEST(CheckRequest, BoundsTheOptionsOfConnection) {
  std::string options(63, ',');
  EXPECT_TRUE(check(post("Connection: close" + options + "\r\n")));
  expect_refused({post("Connection: close," + options + "\r\n")});
  expect_refused({post("Connection: " + options + "\r\nConnection: close\r\n")});
}

TEST(CheckRequest, SaysWhatIsWrongAndWhatToDo) {
  const auto framing = check(get("/", "Host: a\r\nHost: b\r\n"));
  ASSERT_FALSE(framing);
  EXPECT_EQ(framing.error().detail, "The request has two Host fields; send exactly one.");
}

}  // namespace
}  // namespace aifd::protocol
