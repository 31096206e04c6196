// Bytes as hexadecimal digits.
#pragma once

#include <span>
#include <string>

namespace aifd {

// "00ff".
std::string hex(std::span<const unsigned char> bytes);
void append_hex(std::string& text, std::span<const unsigned char> bytes);

// The value of a hexadecimal digit, in any case, or -1.
constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace aifd
