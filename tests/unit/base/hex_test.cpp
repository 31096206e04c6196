#include "aifd/base/hex.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace aifd {
namespace {

TEST(Hex, HasTwoDigitsForEachByte) {
  EXPECT_EQ(hex(std::array<unsigned char, 4>{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff");
  EXPECT_EQ(hex({}), "");
  std::string text = "x";
  append_hex(text, std::array<unsigned char, 1>{0x1b});
  EXPECT_EQ(text, "x1b");
}

TEST(Hex, ValuesAreOfDigitsOfAnyCase) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    const std::size_t at = kDigits.find(lower);
    EXPECT_EQ(hex_value(c), at == kDigits.npos ? -1 : static_cast<int>(at)) << i;
  }
}

}  // namespace
}  // namespace aifd
