// Characters as UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

// `code_point`: at most U+10FFFF. Half a surrogate pair, which UTF-8 does not have, becomes U+FFFD.
void append_utf8(std::string& out, unsigned code_point);

// Appends the character that `text`, which is not empty, begins with, or U+FFFD where it is none;
// gives the bytes that it takes in `text`.
std::size_t append_character(std::string& out, std::string_view text);

// The text with U+FFFD for what is no UTF-8 in it; empty where that is so much (more than 4,096
// times) that it is no text.
std::string with_replacements(std::string_view text);

constexpr bool is_high_surrogate(unsigned unit) noexcept {
  return unit >= 0xD800 && unit <= 0xDBFF;
}

constexpr bool is_low_surrogate(unsigned unit) noexcept {
  return unit >= 0xDC00 && unit <= 0xDFFF;
}

constexpr unsigned join_surrogates(unsigned high, unsigned low) noexcept {
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

}  // namespace aifd::protocol
