#include "aifd/protocol/head_writer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "aifd/protocol/head_parser.hpp"
#include "plain_head.hpp"

namespace aifd::protocol {
namespace {

Fields fields_of(std::string_view text) {
  Fields fields;
  read_fields(text, fields);
  return fields;
}

std::string request_head(std::string_view fields, const BodyFraming& body = {},
                         std::string_view upgrade = {}, std::string_view extra = {}) {
  std::string out;
  append_request_head(out, {"POST", "/v1/x?y", "api.example.com"}, fields_of(fields), body, upgrade,
                      fields_of(extra));
  return out;
}

// What follows the request line and Host.
std::string sent_fields(std::string_view fields, const BodyFraming& body = {},
                        std::string_view upgrade = {}, std::string_view extra = {}) {
  const std::string head = request_head(fields, body, upgrade, extra);
  const std::string start = "POST /v1/x?y HTTP/1.1\r\nHost: api.example.com\r\n";
  EXPECT_TRUE(head.starts_with(start)) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_TRUE(check_raw_head(head)) << head;
  return head.substr(start.size(), head.size() - start.size() - 2);
}

// However a line came, and whatever became of its field since.
TEST(AppendRequestHead, WritesEachFieldAsItIsNow) {
  const std::string text =
      "GET / HTTP/1.1\r\nSame: 1\r\nno-space:2\r\nmore-space:  3\r\nbehind: 4 "
      "\r\ntab:\t5\r\nempty:\r\nblank: \r\n"
      "set: 6\r\nchanged: 7\r\ngone: 8\r\nshorter: 9 9\r\nlast: 0\r\n\r\n";
  Fields fields = parse_request_head(text).value().fields;
  fields.set("set", "six");
  fields.remove("gone");
  fields.change_values([](std::string_view value) {
    if (value == "7") return std::string_view("seven");
    return value == "9 9" ? value.substr(0, 1) : value;
  });
  std::string out;
  append_request_head(out, {"GET", "/", "h"}, fields, {}, {}, {});
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: h\r\n"
            "Same: 1\r\nno-space: 2\r\nmore-space: 3\r\nbehind: 4\r\ntab: "
            "5\r\nempty: \r\nblank: "
            "\r\nset: six\r\nchanged: seven\r\nshorter: 9\r\nlast: 0\r\n\r\n");
}

// The new value stands where that of the line would.
TEST(AppendRequestHead, TakesNoOtherTextForTheLineOfAField) {
  constexpr std::string_view kTexts = "limit6010";
  Fields fields = parse_request_head("GET / HTTP/1.1\r\nlimit: 60\r\n\r\n").value().fields;
  std::string_view left = kTexts;
  fields.move_texts([&left](std::string_view text) {
    const std::string_view moved = left.substr(0, text.size());
    left.remove_prefix(text.size());
    return moved;
  });
  fields.set("limit", left);
  std::string out;
  append_request_head(out, {"GET", "/", "h"}, fields, {}, {}, {});
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: h\r\nlimit: 10\r\n\r\n");
}

TEST(HopByHop, KnowsTheFieldsOfOneHop) {
  const Fields none;
  const HopByHop hop_by_hop(none);
  for (const std::string_view name :
       {"Connection", "keep-alive", "PROXY-AUTHORIZATION", "Proxy-Connection", "Proxy-Authenticate",
        "proxy-x", "Proxy-", "TE", "te", "Trailer", "Transfer-Encoding", "Upgrade",
        "content-length"}) {
    EXPECT_TRUE(hop_by_hop.contains(name)) << name;
  }
  for (const std::string_view name :
       {"", "T", "Host", "Trailers", "Connections", "Upgrades", "Content-Type", "Content-Lengths",
        "Proxy", "Proxy_X", "X-Proxy-Id", "Sec-WebSocket-Key", "Authorization", "Keep_Alive"}) {
    EXPECT_FALSE(hop_by_hop.contains(name)) << name;
  }
}

TEST(HopByHop, KnowsWhatConnectionNames) {
  const Fields fields =
      fields_of("Connection: close, X-Hop\r\nX-Hop: 1\r\nConnection: ,\tother ,\r\n\r\n");
  const HopByHop hop_by_hop(fields);
  EXPECT_TRUE(hop_by_hop.contains("x-hop"));
  EXPECT_TRUE(hop_by_hop.contains("Other"));
  EXPECT_FALSE(hop_by_hop.contains("X-Ho"));
  EXPECT_FALSE(hop_by_hop.contains(""));
}

TEST(AppendRequestHead, KeepsOrderAndBytes) {
  EXPECT_EQ(sent_fields("uSER-aGENT: x  y\r\nX-A: 1\r\nAccept:\r\nx-a: 2;\tq\r\n\r\n"),
            "uSER-aGENT: x  y\r\nX-A: 1\r\nAccept: \r\nx-a: 2;\tq\r\n");
}

TEST(AppendRequestHead, LeavesOutWhatIsNotForTheUpstream) {
  EXPECT_EQ(sent_fields("Host: localhost\r\nhost: again\r\nCookie: a=b\r\nExpect: 100-continue\r\n"
                        "X-Forwarded-For: 1.2.3.4\r\nx-forwarded-proto: https\r\n"
                        "X-Forwarded-Host: h\r\nForwarded: for=1\r\nX-Real-IP: 1.2.3.4\r\n"
                        "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
                        "Proxy-Authorization: Basic x\r\nTE: trailers\r\nTrailer: X\r\n"
                        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\nUpgrade: h2c\r\n"
                        "X-Forwarded: kept\r\n\r\n"),
            "X-Forwarded: kept\r\n");
}

TEST(AppendRequestHead, WritesTheFraming) {
  EXPECT_EQ(sent_fields("\r\n"), "");
  EXPECT_EQ(sent_fields("\r\n", {BodyKind::length, 0}), "Content-Length: 0\r\n");
  EXPECT_EQ(sent_fields("A: b\r\n\r\n", {BodyKind::length, UINT64_MAX}),
            "A: b\r\nContent-Length: 18446744073709551615\r\n");
  EXPECT_EQ(sent_fields("A: b\r\n\r\n", {BodyKind::chunked, 0}),
            "A: b\r\nTransfer-Encoding: chunked\r\n");
}

TEST(AppendRequestHead, WritesTheUpgrade) {
  EXPECT_EQ(sent_fields("Sec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: other\r\n"
                        "Sec-WebSocket-Protocol: realtime\r\n\r\n",
                        {}, "websocket"),
            "Sec-WebSocket-Key: k\r\nSec-WebSocket-Protocol: realtime\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n");
}

TEST(AppendRequestHead, WritesExtraFieldsEvenWhereConnectionNamesThem) {
  EXPECT_EQ(sent_fields("Connection: X-Forwarded-For\r\nX-Forwarded-For: forged\r\n\r\n", {}, {},
                        "X-Forwarded-For: 9.9.9.9\r\n\r\n"),
            "X-Forwarded-For: 9.9.9.9\r\n");
}

TEST(AppendRequestHead, AppendsBehindWhatIsThere) {
  std::string out = "before";
  append_request_head(out, {"GET", "/", "a"}, {}, {}, {}, {});
  append_request_head(out, {"HEAD", "http://a/", "a:1"}, {}, {}, {}, {});
  EXPECT_EQ(out,
            "beforeGET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD http://a/ HTTP/1.1\r\nHost: a:1\r\n\r\n");
}

std::string response_head(std::string_view text, const BodyFraming& body,
                          const ResponseOptions& options = {}) {
  std::string out;
  append_response_head(out, read_response(text), body, options);
  EXPECT_TRUE(check_raw_head(out)) << out;
  return out;
}

constexpr BodyFraming kChunked{BodyKind::chunked, 0};
constexpr BodyFraming kUntilClose{BodyKind::until_close, 0};

TEST(AppendResponseHead, KeepsOrderAndBytesAndWritesTheFramingAnew) {
  EXPECT_EQ(response_head("HTTP/1.0 200 Tout va bien\r\nContent-Length: 5\r\nx-request-id: r\r\n"
                          "Set-Cookie: a\r\nConnection: X-Hop\r\nSet-Cookie: b\r\nx-hop: 1\r\n\r\n",
                          {BodyKind::length, 5}),
            "HTTP/1.1 200 Tout va bien\r\nx-request-id: r\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(AppendResponseHead, KeepsAnEmptyReasonsSpace) {
  EXPECT_EQ(response_head("HTTP/1.1 404\r\n\r\n", {BodyKind::length, 0}),
            "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
}

TEST(AppendResponseHead, FramesForHttp11) {
  const std::string_view in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(response_head(in, kChunked), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(response_head(in, kUntilClose), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response_head(in, kChunked, {.close = true}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response_head(in, kChunked, {.keep_alive = true}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(AppendResponseHead, FramesForHttp10) {
  const std::string_view in = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const ResponseOptions options{.client_version_minor = 0, .keep_alive = true};
  EXPECT_EQ(response_head(in, kChunked, options), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response_head(in, {BodyKind::length, 1}, options),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response_head(in, {BodyKind::length, 1},
                          {.client_version_minor = 0, .close = true, .keep_alive = true}),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n");
}

TEST(AppendResponseHead, WithoutBodyKeepsTheLengthThatCame) {
  EXPECT_EQ(response_head("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nA: b\r\n\r\n", {}),
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(response_head("HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", {}),
            "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n");
  EXPECT_EQ(response_head("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", {}),
            "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(AppendResponseHead, WritesTheUpgrade) {
  EXPECT_EQ(response_head("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: k\r\n\r\n",
                          {}, {.upgrade = "websocket"}),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

}  // namespace
}  // namespace aifd::protocol
