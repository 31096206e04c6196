#include "aifd/base/words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd {
namespace {

// Marks a quote, a backslash, controls and what is not ASCII.
std::size_t find_special(std::string_view text, std::size_t from) {
  return find_marked(text, from, [](Bytes bytes) {
    return mark_equal(bytes, '"') | mark_equal(bytes, '\\') | mark_below(bytes, 0x20) |
           mark_not_ascii(bytes);
  });
}

bool is_special(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '"' || c == '\\' || byte < 0x20 || byte >= 0x80;
}

TEST(FindMarked, FindsEachByteThatIsMeantAndNoOther) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    for (const std::size_t at : {0u, 5u, 8u, 31u, 33u, 47u, 70u}) {
      for (const char around : {'a', ' ', '\x7F', '#', '!', ']'}) {
        std::string text(80, around);
        text[at] = c;
        EXPECT_EQ(find_special(text, 0), is_special(c) ? at : text.size()) << byte << " at " << at;
      }
    }
  }
}

TEST(FindMarked, GivesTheFirstOfSeveral) {
  for (std::size_t first = 0; first < 80; ++first) {
    std::string text(80, 'a');
    for (std::size_t at = first; at < text.size(); ++at) text[at] = at % 2 == 0 ? '"' : '#';
    EXPECT_EQ(find_special(text, 0), first % 2 == 0 ? first : std::min<std::size_t>(first + 1, 80));
  }
}

TEST(FindMarked, StaysWithinTheText) {
  EXPECT_EQ(find_special({}, 0), 0u);
  const std::string text = std::string(80, 'a') + '"';
  for (std::size_t size = 0; size <= 80; ++size) {
    for (std::size_t from = 0; from <= size; ++from) {
      EXPECT_EQ(find_special(std::string_view(text).substr(0, size), from), size);
    }
  }
  for (std::size_t from = 0; from <= 80; ++from) EXPECT_EQ(find_special(text, from), 80u);
}

// Where a quote stands seven bytes before another one.
std::size_t find_pair(std::string_view text, std::size_t from) {
  return find_place(text, from, 8, [](const char* place) {
    return mark_equal(load_bytes(place), '"') & mark_equal(load_bytes(place + 7), '"');
  });
}

TEST(FindPlace, FindsItAnywhereInTextsOfEachSize) {
  for (std::size_t size = 8; size < 150; ++size) {
    EXPECT_EQ(find_pair(std::string(size, 'a'), 0), std::string_view::npos);
    for (std::size_t at = 0; at + 8 <= size; ++at) {
      std::string text(size, 'a');
      text[at] = text[at + 7] = '"';
      for (const std::size_t from : {std::size_t{0}, at / 2, at}) {
        EXPECT_EQ(find_pair(text, from), at) << size;
      }
      EXPECT_EQ(find_pair(text, at + 1), std::string_view::npos) << size << ' ' << at;
    }
  }
}

TEST(FindPlace, GivesTheFirstOfSeveral) {
  const std::string text(100, '"');
  for (std::size_t from = 0; from <= 92; ++from) EXPECT_EQ(find_pair(text, from), from);
  EXPECT_EQ(find_pair(text, 93), std::string_view::npos);
}

TEST(FindPlace, StaysWithinTheText) {
  const std::string text(100, '"');
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(find_pair(std::string_view(text).substr(0, size), 0), std::string_view::npos);
  }
  const std::string half = std::string(93, 'a') + "\"aaaaaa\"";
  for (std::size_t size = 0; size <= 100; ++size) {
    EXPECT_EQ(find_pair(std::string_view(half).substr(0, size), 0), std::string_view::npos);
  }
}

}  // namespace
}  // namespace aifd
