// Bytes as hexadecimal digits.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace aifd {

// "00ff".
std::string hex(std::span<const unsigned char> bytes);
void append_hex(std::string& text, std::span<const unsigned char> bytes);

inline constexpr std::array<signed char, 256> kHexValues = [] {
  std::array<signed char, 256> values{};
  for (int c = 0; c < 256; ++c) {
    const bool is_letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    const int letter = is_letter ? (c | 0x20) - 'a' + 10 : -1;
    values[static_cast<std::size_t>(c)] =
        static_cast<signed char>(c >= '0' && c <= '9' ? c - '0' : letter);
  }
  return values;
}();

// The value of a hexadecimal digit, in any case, or -1.
constexpr int hex_value(char c) noexcept {
  return kHexValues[static_cast<unsigned char>(c)];
}

}  // namespace aifd
