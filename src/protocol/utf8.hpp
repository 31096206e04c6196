// Characters as UTF-8.
#pragma once

#include <string>

namespace aifd::protocol {

// `code_point`: at most U+10FFFF. Half a surrogate pair, which UTF-8 does not have, becomes U+FFFD.
void append_utf8(std::string& out, unsigned code_point);

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
