#include "json_scan.hpp"

#include "aifd/base/hex.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kNone = 0;  // the length of what is not valid

// The value of "\uXXXX" at the text's beginning, or -1.
int read_unit(std::string_view text) noexcept {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  int unit = 0;
  for (const char c : text.substr(2, 4)) {
    const int digit = hex_value(c);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

bool is_between(int unit, int first, int last) noexcept {
  return unit >= first && unit <= last;
}

// Of the escape that the text begins with; a pair of surrogates is one where both are needed.
std::size_t escape_length(std::string_view text, Surrogates allowed) noexcept {
  constexpr std::string_view kShort = "\"\\/bfnrt";
  if (text.size() < 2) return kNone;
  if (kShort.find(text[1]) != std::string_view::npos) return 2;
  const int unit = read_unit(text);
  if (unit < 0) return kNone;
  if (allowed == Surrogates::also_alone) return 6;
  if (is_between(unit, 0xDC00, 0xDFFF)) return kNone;
  if (!is_between(unit, 0xD800, 0xDBFF)) return 6;
  return is_between(read_unit(text.substr(6)), 0xDC00, 0xDFFF) ? 12 : kNone;
}

std::size_t count_digits(std::string_view text, std::size_t at) noexcept {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - begin;
}

}  // namespace

std::size_t skip_escapes_json(std::string_view text, std::size_t at, Surrogates allowed) noexcept {
  while (at < text.size() && text[at] == '\\') {
    const std::size_t length = escape_length(text.substr(at), allowed);
    if (length == kNone) return at;
    at = skip_plain_json(text, at + length);
  }
  return at;
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
