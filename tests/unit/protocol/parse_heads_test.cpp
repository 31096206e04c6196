#include "aifd/protocol/head_parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "aifd/protocol/framing.hpp"

namespace aifd::protocol {
namespace {

bool lies_in(std::string_view part, const std::string& whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(ParseRequestHead, GivesViewsIntoTheBytes) {
  const std::string bytes =
      "POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nX-Trimmed: \t two words \t\r\nX-Empty:\r\n\r\n";
  const auto head = parse_request_head(bytes);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1/x?y=1");
  EXPECT_EQ(head->version_minor, 1U);
  EXPECT_TRUE(lies_in(head->method, bytes));
  EXPECT_TRUE(lies_in(head->target, bytes));
  ASSERT_EQ(head->fields.size(), 3U);
  EXPECT_EQ(head->fields.get("x-trimmed"), "two words");
  EXPECT_TRUE(head->fields.contains("X-Empty"));
  for (const Field& field : head->fields) {
    EXPECT_TRUE(lies_in(field.name, bytes)) << field.name.text();
    EXPECT_TRUE(field.value.empty() || lies_in(field.value, bytes)) << field.name.text();
  }
}

TEST(ParseRequestHead, KeepsFieldsInTheirOrderWithDuplicatesAndSpelling) {
  const auto head = parse_request_head("GET / HTTP/1.0\r\nb: 1\r\nA: 2\r\nB: 3\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->version_minor, 0U);
  std::string seen;
  for (const Field& field : head->fields) {
    seen.append(field.name).append("=").append(field.value).append(";");
  }
  EXPECT_EQ(seen, "b=1;A=2;B=3;");
}

TEST(ParseRequestHead, RefusesWhatIsNoWholeHead) {
  for (const std::string_view bytes :
       {"", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nmore", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"}) {
    const auto head = parse_request_head(bytes);
    ASSERT_FALSE(head) << bytes;
    EXPECT_EQ(head.error().kind, ErrorKind::bad_request) << bytes;
    EXPECT_EQ(head.error().source, ErrorSource::client) << bytes;
  }
}

TEST(ParseResponseHead, GivesStatusReasonAndFields) {
  struct Case {
    std::string bytes;
    int status;
    std::string_view reason;
    unsigned version_minor;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", 200, "OK", 1},
      {"HTTP/1.0 404 Not Found\r\n\r\n", 404, "Not Found", 0},
      {"HTTP/1.1 200 \r\n\r\n", 200, "", 1},
      {"HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue", 1},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 101, "Switching Protocols",
       1},
      {"HTTP/1.1 599 Odd  reason\r\n\r\n", 599, "Odd  reason", 1},
  };
  for (const Case& c : cases) {
    const auto head = parse_response_head(c.bytes);
    ASSERT_TRUE(head) << c.bytes << head.error().detail;
    EXPECT_EQ(head->status, c.status);
    EXPECT_EQ(head->reason, c.reason);
    EXPECT_EQ(head->version_minor, c.version_minor);
    EXPECT_TRUE(c.reason.empty() || lies_in(head->reason, c.bytes));
  }
}

TEST(ParseResponseHead, BlamesTheUpstreamForWhatIsNotValid) {
  const std::string long_field = "X-Long: " + std::string(70'000, 'x') + "\r\n";
  std::string many_fields;
  for (int i = 0; i < 257; ++i) many_fields += "a: b\r\n";
  for (const std::string& bytes :
       {std::string("HTTP/1.1 20 OK\r\n\r\n"), std::string("HTTP/1.1 2000 OK\r\n\r\n"),
        std::string("HTTP/1.1 abc OK\r\n\r\n"), std::string("HTTP/1.2 200 OK\r\n\r\n"),
        std::string("HTTP/2 200\r\n\r\n"), std::string("ICY 200 OK\r\n\r\n"),
        std::string("SSH-2.0-OpenSSH\r\n\r\n"), std::string("HTTP/1.1 200 OK\n\n"),
        std::string("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"), std::string("\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 25),
        "HTTP/1.1 200 OK\r\n" + long_field + "\r\n",
        "HTTP/1.1 200 OK\r\n" + many_fields + "\r\n"}) {
    const auto head = parse_response_head(bytes);
    ASSERT_FALSE(head) << bytes.substr(0, 100);
    EXPECT_EQ(head.error().kind, ErrorKind::upstream_malformed) << bytes.substr(0, 100);
    EXPECT_EQ(head.error().source, ErrorSource::upstream);
    EXPECT_FALSE(head.error().detail.empty());
  }
}

// As an upstream is read: the head's bytes, then what they mean.
TEST(ResponseHeads, AreFramedAsTheTableSays) {
  struct Case {
    std::string fields;
    int status;
    std::string_view method;
    std::optional<BodyFraming> body;  // none: refused
    bool keep_alive = true;
  };
  const BodyFraming chunked{BodyKind::chunked, 0};
  const BodyFraming until_close{BodyKind::until_close, 0};
  const Case cases[] = {
      {"Content-Length: 7\r\n", 200, "POST", BodyFraming{BodyKind::length, 7}},
      {"Transfer-Encoding: chunked\r\n", 200, "POST", chunked},
      {"Transfer-Encoding: chunked\r\nConnection: close\r\n", 200, "POST", chunked, false},
      {"", 200, "POST", until_close, false},
      {"Connection: keep-alive\r\n", 200, "POST", until_close, false},
      {"Content-Length: 7\r\n", 200, "HEAD", BodyFraming{}},
      {"", 204, "POST", BodyFraming{}},
      {"Content-Length: 7\r\n", 204, "POST", BodyFraming{}, false},
      {"Content-Length: 7\r\n", 304, "GET", BodyFraming{}},
      {"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n", 200, "POST", {}},
      {"Content-Length: 7, 7\r\n", 200, "POST", {}},
      {"Content-Length: 7\r\nContent-Length: 7\r\n", 200, "POST", {}},
      {"Content-Length: +7\r\n", 200, "POST", {}},
      {"Transfer-Encoding: chunked, identity\r\n", 200, "POST", {}},
      {"Transfer-Encoding: identity\r\n", 200, "POST", {}},
      {"Transfer-Encoding: xchunked\r\n", 200, "POST", {}},
      {"Transfer-Encoding: \r\n", 200, "POST", {}},
      {"Transfer-Encoding: gzip, chunked\r\n", 200, "POST", {}},
      {"", 100, "POST", {}},
      {"", 700, "POST", {}},
  };
  for (const Case& c : cases) {
    const std::string bytes =
        "HTTP/1.1 " + std::to_string(c.status) + " Text\r\n" + c.fields + "\r\n";
    auto head = parse_response_head(bytes);
    const auto framing =
        head ? check_response(*head, c.method) : Result<ResponseFraming>(head.error());
    ASSERT_EQ(framing.has_value(), c.body.has_value()) << bytes;
    if (!framing) {
      EXPECT_EQ(framing.error().kind, ErrorKind::upstream_malformed) << bytes;
      continue;
    }
    EXPECT_EQ(framing->body, *c.body) << bytes;
    EXPECT_EQ(framing->keep_alive, c.keep_alive) << bytes;
  }
}

}  // namespace
}  // namespace aifd::protocol
