#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aifd/protocol/framing.hpp"

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

constexpr std::size_t kNone = std::string_view::npos;

TEST(FindHeadEnd, FindsTheBlankLine) {
  const struct {
    std::string bytes;
    std::size_t end;
  } cases[] = {
      {"", kNone},
      {"\r\n", kNone},
      {"\n", kNone},
      {"GET / HTTP/1.1\r\n", kNone},
      {"GET / HTTP/1.1\r\nA: b\r\n\r", kNone},
      {"GET / HTTP/1.1\r\nA: b\r\n\r\n", 24},
      {"GET / HTTP/1.1\r\nA: b\r\n\r\nrest\r\n\r\n", 24},
      {"GET / HTTP/1.1\r\n\r\n", 18},
      {"GET / HTTP/1.1\n\n", 16},
      {"GET / HTTP/1.1\n\r\n", 17},
      {"GET / HTTP/1.1\r\n\n", 17},
      {"GET / HTTP/1.1\r\n\r\r\n", kNone},
      {"a\rb\r\n\r\n", 7},
      {"\r\n\r\n", 4},
      {"\n\n", 2},
  };
  for (const auto& c : cases) EXPECT_EQ(find_head_end(c.bytes, 0), c.end) << c.bytes;
}

TEST(FindHeadEnd, IsTheSameForEverySplit) {
  for (const std::string blank : {"\r\n\r\n", "\n\n", "\n\r\n", "\r\n\n"}) {
    const std::string whole = "GET / HTTP/1.1\r\nHost: a\r\nB: c" + blank + "body\r\n\r\n";
    const std::size_t end = find_head_end(whole, 0);
    ASSERT_EQ(end, 30 + blank.size() - 1);
    for (std::size_t cut = 0; cut < end; ++cut) {
      EXPECT_EQ(find_head_end(std::string_view(whole).substr(0, cut), 0), kNone) << cut;
      EXPECT_EQ(find_head_end(whole, cut), end) << cut;
    }
    std::size_t seen = 0;
    for (; find_head_end(std::string_view(whole).substr(0, seen + 1), seen) == kNone; ++seen) {
    }
    EXPECT_EQ(seen + 1, end);
  }
}

TEST(FindHeadEnd, TakesAnOffsetPastTheEnd) {
  EXPECT_EQ(find_head_end("a\r\n\r\n", 5), kNone);
  EXPECT_EQ(find_head_end("a", 100), kNone);
}

TEST(CheckRawHead, AcceptsWhatIsWellFormed) {
  const std::string cases[] = {
      "GET / HTTP/1.1\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY: \t \r\n\r\n"s,
      "GET / HTTP/1.1\r\nX: tab\tinside, \"quoted\"; caf\xC3\xA9 \xFF long enough\r\n\r\n"s,
      "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: every token character\r\n\r\n"s,
      "HTTP/1.1 200 \xC3\xA7\x61 va\r\nA: b:c:d\r\n\r\n"s,
  };
  for (const auto& head : cases) EXPECT_TRUE(check_raw_head(head)) << head;
}

TEST(CheckRawHead, RefusesWhatIsNot) {
  const std::string cases[] = {
      ""s,
      "\r\n"s,
      "\r\n\r\n"s,
      "GET / HTTP/1.1"s,
      "GET / HTTP/1.1\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\n"s,
      "GET / HTTP/1.1\r\nHost: a"s,
      "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "GET / HTTP/1.1\nHost: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\n\n"s,
      "GET / HTTP/1.1\n\n"s,
      "\nGET / HTTP/1.1\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"s,
      "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: 0123456\0\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\x0B\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\x7F\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: 0123456789\x7F 0123456789\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\x1B[31m\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\x08\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n"s,
      "GET / HTTP/1.1\r\n folded: first\r\n\r\n"s,
      "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost : a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"s,
      "GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n"s,
      "GET / HTTP/1.1\r\nTransfer Encoding: chunked\r\n\r\n"s,
      "GET / HTTP/1.1\r\nTransfer-Encoding\x0B: chunked\r\n\r\n"s,
      "GET / HTTP/1.1\r\nTransfer-Encoding: \x0B\x63hunked\r\n\r\n"s,
      "GET / HTTP/1.1\r\n: no name\r\n\r\n"s,
      "GET / HTTP/1.1\r\nno colon\r\n\r\n"s,
      "GET / HTTP/1.1\r\nnocolon\r\n\r\n"s,
      "GET / HTTP/1.1\r\n\xC3\xA9: not ASCII\r\n\r\n"s,
      "GET / HTTP/1.1\r\n\"a\": b\r\n\r\n"s,
      "GET / HTTP/1.1\r\n(a): b\r\n\r\n"s,
      "GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n"s,
  };
  for (const auto& head : cases) {
    const auto checked = check_raw_head(head);
    ASSERT_FALSE(checked) << head;
    EXPECT_EQ(checked.error().kind, ErrorKind::bad_request) << head;
    EXPECT_EQ(checked.error().source, ErrorSource::client) << head;
    EXPECT_FALSE(checked.error().detail.empty()) << head;
  }
}

TEST(CheckRawHead, FindsAControlCharacterAtEveryPlace) {
  for (unsigned c = 0; c < 256; ++c) {
    const bool is_text = c == '\t' || (c >= 0x20 && c != 0x7F);
    for (std::size_t place = 0; place < 20; ++place) {
      std::string value(20, 'v');
      value[place] = static_cast<char>(c);
      const std::string head = "GET / HTTP/1.1\r\nA: " + value + "\r\n\r\n";
      EXPECT_EQ(check_raw_head(head).has_value(), is_text) << c << " at " << place;
    }
  }
}

std::string head_with_fields(std::size_t count) {
  std::string head = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 0; i < count; ++i) head += "A: b\r\n";
  return head + "\r\n";
}

TEST(CheckRawHead, CountsFields) {
  EXPECT_TRUE(check_raw_head(head_with_fields(kMaxFields)));
  const auto checked = check_raw_head(head_with_fields(kMaxFields + 1));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::head_too_large);
}

TEST(CheckRawHead, CountsBytes) {
  std::string head = "GET / HTTP/1.1\r\nA: \r\n\r\n";
  head.insert(19, std::string(kMaxHeadBytes - head.size(), 'x'));
  EXPECT_TRUE(check_raw_head(head));
  head.insert(19, "x");
  const auto checked = check_raw_head(head);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::head_too_large);
}

}  // namespace
}  // namespace aifd::protocol
