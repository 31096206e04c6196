#include "aifd/base/text_buffer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace aifd {
namespace {

TEST(TextBuffer, HoldsWhatWasAdded) {
  TextBuffer text;
  EXPECT_EQ(text.view(), "");
  text.text("a=");
  text.number(0);
  text.text("");
  text.text(std::string_view());
  text.number(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(text.view(), "a=018446744073709551615");
}

TEST(TextBuffer, GrowsToAnySize) {
  TextBuffer text;
  std::string expected;
  for (std::size_t size : {1, 1000, 22, 1, 1, 5000, 3, 100'000}) {
    const std::string piece(size, static_cast<char>('a' + size % 7));
    text.text(piece);
    text.number(size);
    expected += piece + std::to_string(size);
    ASSERT_EQ(text.view(), expected);
  }
}

TEST(TextBuffer, WritesNumbersOfAnyLength) {
  TextBuffer text;
  std::string expected;
  for (std::uint64_t number = 1; number < std::numeric_limits<std::uint64_t>::max() / 10;
       number *= 10) {
    for (const std::uint64_t one : {number - 1, number, number + 1, 7 * number}) {
      text.number(one);
      text.text(",", " ");
      expected += std::to_string(one) + ", ";
    }
  }
  EXPECT_EQ(text.view(), expected);
}

TEST(TextBuffer, AddsAPieceUnlessSomeOfItIsMarked) {
  const auto mark = [](Bytes bytes) { return mark_equal(bytes, '!'); };
  TextBuffer text;
  std::string expected;
  for (std::size_t size = 0; size < 70; ++size) {
    std::string piece(size, 'a');
    ASSERT_TRUE(text.text_unless(piece, mark)) << size;
    expected += piece;
    for (char& c : piece) {
      c = '!';
      ASSERT_FALSE(text.text_unless(piece, mark)) << size;
      c = 'a';
    }
    ASSERT_EQ(text.view(), expected);
  }
}

// What lies behind the text from before is none of it.
TEST(TextBuffer, ForgetsAPieceThatIsMarked) {
  const auto mark = [](Bytes bytes) { return mark_equal(bytes, '!'); };
  TextBuffer text;
  EXPECT_FALSE(text.text_unless("a!!!", mark));
  EXPECT_TRUE(text.text_unless("b", mark));
  EXPECT_EQ(text.view(), "b");
}

TEST(TextBuffer, MillisHaveMicrosecondsBehindThePoint) {
  const auto shown = [](auto time) {
    TextBuffer text;
    text.millis(time);
    return std::string(text.view());
  };
  EXPECT_EQ(shown(std::chrono::microseconds(20'007)), "20.007");
  EXPECT_EQ(shown(std::chrono::nanoseconds(999)), "0.000");
  EXPECT_EQ(shown(std::chrono::microseconds(1'234'560)), "1234.560");
  EXPECT_EQ(shown(std::chrono::seconds(-1)), "0.000");
  EXPECT_EQ(shown(std::chrono::hours(1)), "3600000.000");
}

}  // namespace
}  // namespace aifd
