#include "json_scan.hpp"

#include <algorithm>
#include <cstdint>

#include "aifd/base/hex.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kNone = 0;  // the length of what is not valid
constexpr std::size_t kUnitLength = 6;

constexpr bool is_short_escape(char c) noexcept {
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    default:
      return false;
  }
}

// The value of "\uXXXX" at the text's beginning, or less than 0.
int read_unit(std::string_view text) noexcept {
  if (text.size() < kUnitLength || text[0] != '\\' || text[1] != 'u') return -1;
  const auto digit = [&](std::size_t i) { return hex_value(text[i]); };
  return digit(2) * 0x1000 | digit(3) * 0x100 | digit(4) * 0x10 | digit(5);
}

constexpr bool is_surrogate(int unit) noexcept {
  return (unit & ~0x7FF) == 0xD800;
}

constexpr bool is_low_surrogate(int unit) noexcept {
  return (unit & ~0x3FF) == 0xDC00;
}

// Of the escape that the text begins with; two of surrogates are one where both are needed.
std::size_t escape_length(std::string_view text, Surrogates allowed, ScannedString& scanned) {
  scanned.has_escapes = true;
  if (text.size() > 1 && is_short_escape(text[1])) return 2;
  const int unit = read_unit(text);
  if (unit < 0) return kNone;
  if (!is_surrogate(unit)) return kUnitLength;
  scanned.has_surrogates = true;
  if (allowed == Surrogates::also_alone) return kUnitLength;
  const bool is_pair =
      !is_low_surrogate(unit) && is_low_surrogate(read_unit(text.substr(kUnitLength)));
  return is_pair ? 2 * kUnitLength : kNone;
}

std::size_t count_digits(std::string_view text, std::size_t at) noexcept {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - begin;
}

}  // namespace

ScannedString scan_long_string(std::string_view text, std::size_t at, Surrogates allowed) noexcept {
  ScannedString scanned{text.size()};
  while (at < text.size()) {
    std::uint32_t bits = marked_bits(text, at, mark_string_ends);
    std::size_t next = kBlockBytes;
    while (bits != 0) {
      const std::size_t place = first_bit(bits);
      const std::string_view rest = text.substr(at + place);
      const std::size_t length = rest[0] == '\\' ? escape_length(rest, allowed, scanned) : kNone;
      if (length == kNone) {
        scanned.end = at + place;
        return scanned;
      }
      next = std::max(place + length, kBlockBytes);
      bits &=
          static_cast<std::uint32_t>(~std::uint64_t{0} << std::min(place + length, kBlockBytes));
    }
    at += next;
  }
  return scanned;
}

std::size_t json_number_length(std::string_view text) noexcept {
  const auto has = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  std::size_t at = has(0, '-') ? 1 : 0;
  const std::size_t integer = has(at, '0') ? 1 : count_digits(text, at);
  if (integer == 0) return kNone;
  at += integer;
  if (has(at, '.')) {
    const std::size_t fraction = count_digits(text, at + 1);
    if (fraction == 0) return kNone;
    at += 1 + fraction;
  }
  if (has(at, 'e') || has(at, 'E')) {
    ++at;
    if (has(at, '+') || has(at, '-')) ++at;
    const std::size_t exponent = count_digits(text, at);
    if (exponent == 0) return kNone;
    at += exponent;
  }
  return at;
}

std::size_t json_literal_length(std::string_view text) noexcept {
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (text.starts_with(literal)) return literal.size();
  }
  return kNone;
}

}  // namespace aifd::protocol
