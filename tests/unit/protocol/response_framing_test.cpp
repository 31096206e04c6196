#include <gtest/gtest.h>

#include <string>

#include "aifd/protocol/framing.hpp"
#include "plain_head.hpp"

namespace aifd::protocol {
namespace {

constexpr BodyFraming kNone{};
constexpr BodyFraming kChunked{BodyKind::chunked, 0};
constexpr BodyFraming kUntilClose{BodyKind::until_close, 0};

constexpr BodyFraming length(std::uint64_t bytes) {
  return {BodyKind::length, bytes};
}

struct Accepted {
  std::string start;
  std::string fields;
  std::string method;
  BodyFraming body;
  bool keep_alive = true;
};

TEST(CheckResponse, AcceptsWithFraming) {
  const Accepted cases[] = {
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", "GET", length(5)},
      {"HTTP/1.1 200 OK", "Content-Length: 0\r\n", "POST", length(0)},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: Chunked\r\n", "GET", kChunked},
      {"HTTP/1.1 200 OK", "", "GET", kUntilClose, false},
      {"HTTP/1.1 200 OK", "Connection: keep-alive\r\n", "GET", kUntilClose, false},
      {"HTTP/1.1 200 ", "Content-Length: 5\r\nConnection: close\r\n", "GET", length(5), false},
      {"HTTP/1.1 503 Busy", "Content-Length: 5\r\n", "GET", length(5)},
      {"HTTP/1.1 599 X", "Content-Length: 5\r\n", "GET", length(5)},
      {"HTTP/1.1 205 Reset", "Content-Length: 0\r\n", "GET", length(0)},
      {"HTTP/1.0 200 OK", "Content-Length: 5\r\n", "GET", length(5), false},
      {"HTTP/1.0 200 OK", "Content-Length: 5\r\nConnection: keep-alive\r\n", "GET", length(5)},
      {"HTTP/1.0 200 OK", "", "GET", kUntilClose, false},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", "HEAD", kNone},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", "HEAD", kNone},
      {"HTTP/1.1 200 OK", "", "HEAD", kNone},
      {"HTTP/1.0 200 OK", "", "HEAD", kNone, false},
      {"HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n", "GET", kNone},
      {"HTTP/1.1 304 Not Modified", "", "GET", kNone},
      {"HTTP/1.1 204 No Content", "", "DELETE", kNone},
      {"HTTP/1.1 204 No Content", "Content-Length: 0\r\n", "DELETE", kNone},
      {"HTTP/1.1 204 No Content", "Content-Length: 5\r\n", "DELETE", kNone, false},
      {"HTTP/1.1 204 No Content", "Transfer-Encoding: chunked\r\n", "DELETE", kNone, false},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\n", "head", length(5)},
  };
  for (const auto& c : cases) {
    const std::string text = c.start + "\r\n" + c.fields + "\r\n";
    ASSERT_TRUE(check_raw_head(text)) << text;
    const auto framing = check_response(read_response(text), c.method);
    ASSERT_TRUE(framing) << text << framing.error().detail;
    EXPECT_EQ(framing->body, c.body) << c.method << ' ' << text;
    EXPECT_EQ(framing->keep_alive, c.keep_alive) << c.method << ' ' << text;
  }
}

TEST(CheckResponse, RefusesWhatIsMalformed) {
  const struct {
    std::string start;
    std::string fields;
    std::string method = "GET";
  } cases[] = {
      {"HTTP/1.1 0 X", "Content-Length: 0\r\n"},
      {"HTTP/1.1 99 X", "Content-Length: 0\r\n"},
      {"HTTP/1.1 100 Continue", ""},
      {"HTTP/1.1 101 Switching Protocols", ""},
      {"HTTP/1.1 103 Early Hints", ""},
      {"HTTP/1.1 199 X", ""},
      {"HTTP/1.1 600 X", "Content-Length: 0\r\n"},
      {"HTTP/1.1 999 X", "Content-Length: 0\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\nContent-Length: 5\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5, 5\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: -1\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5x\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length:\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 9223372036854775808\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5x\r\n", "HEAD"},
      {"HTTP/1.1 304 X", "Content-Length: 5x\r\n"},
      {"HTTP/1.1 204 X", "Content-Length: 5x\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: identity\r\n"},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked\r\n"},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked, chunked\r\n"},
      {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
      {"HTTP/1.1 200 OK", "Transfer-Encoding:\r\n"},
      {"HTTP/1.0 200 OK", "Transfer-Encoding: chunked\r\n"},
      {"HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: " + std::string(64, ',') + "\r\n"},
  };
  for (const auto& c : cases) {
    const std::string text = c.start + "\r\n" + c.fields + "\r\n";
    const auto framing = check_response(read_response(text), c.method);
    ASSERT_FALSE(framing) << text;
    EXPECT_EQ(framing.error().kind, ErrorKind::upstream_malformed) << text;
    EXPECT_EQ(framing.error().source, ErrorSource::upstream) << text;
    EXPECT_TRUE(framing.error().detail.ends_with('.')) << framing.error().detail;
  }
}

TEST(CheckResponse, SaysWhatIsWrong) {
  const auto framing = check_response(
      read_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"), "GET");
  ASSERT_FALSE(framing);
  EXPECT_EQ(framing.error().detail, "The upstream's answer has two Content-Length fields.");
}

}  // namespace
}  // namespace aifd::protocol
