// Numbers as decimal digits, three at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aifd {

// "000", "001", ... "999", each in four bytes.
inline constexpr auto kThreeDigits = [] {
  std::array<char, 4 * 1000> digits{};
  for (std::size_t value = 0; value < 1000; ++value) {
    digits[4 * value] = static_cast<char>('0' + value / 100);
    digits[4 * value + 1] = static_cast<char>('0' + value / 10 % 10);
    digits[4 * value + 2] = static_cast<char>('0' + value % 10);
  }
  return digits;
}();

// "007" of 7; `value` is below 1,000.
inline std::string_view three_digits(std::size_t value) noexcept {
  return {&kThreeDigits[4 * value], 3};
}

// These write to where there is room for one byte more than the digits, and give the digits' end.
inline char* put_three_digits(char* at, std::size_t value) noexcept {
  std::memcpy(at, &kThreeDigits[4 * value], 4);
  return at + 3;
}
inline char* put_small_number(char* at, std::size_t value) noexcept {
  const std::size_t zeros = (value < 100 ? 1 : 0) + (value < 10 ? 1 : 0);
  std::memcpy(at, &kThreeDigits[4 * value + zeros], 4);
  return at + 3 - zeros;
}

}  // namespace aifd
