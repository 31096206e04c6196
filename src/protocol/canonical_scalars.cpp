#include "canonical_scalars.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "aifd/base/hex.hpp"
#include "chars.hpp"
#include "utf8.hpp"

namespace aifd::protocol {
namespace {

unsigned read_hex4(std::string_view text) {
  unsigned unit = 0;
  for (const char c : text.substr(0, 4)) unit = unit * 16 + static_cast<unsigned>(hex_value(c));
  return unit;
}

void append_character(std::string& out, unsigned code_point) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (code_point == '"' || code_point == '\\') out += '\\';
  if (code_point >= 0x20) return append_utf8(out, code_point);
  out += "\\u00";
  out += kHex[code_point >> 4];
  out += kHex[code_point & 15];
}

// Appends what the escape stands for that `text` begins with; gives its length.
std::size_t append_escape(std::string& out, std::string_view text) {
  constexpr std::string_view kLetters = "bfnrt";
  constexpr std::string_view kMeanings = "\b\f\n\r\t";
  constexpr std::size_t kUnitLength = 6;
  if (text[1] != 'u') {
    const std::size_t known = kLetters.find(text[1]);
    const char c = known == std::string_view::npos ? text[1] : kMeanings[known];
    append_character(out, static_cast<unsigned char>(c));
    return 2;
  }
  const unsigned unit = read_hex4(text.substr(2));
  const std::string_view next = text.substr(kUnitLength);
  const unsigned low = next.starts_with("\\u") ? read_hex4(next.substr(2)) : 0;
  if (!is_high_surrogate(unit) || !is_low_surrogate(low)) {
    append_character(out, unit);
    return kUnitLength;
  }
  append_character(out, join_surrogates(unit, low));
  return 2 * kUnitLength;
}

// Of a number: an integer, the digits behind its point, and its power of ten.
struct Decimal {
  std::string_view integer;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

std::string_view without_leading_zeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

// `text`: what follows the "e".
bool read_exponent(std::string_view text, std::int64_t& exponent) {
  constexpr std::size_t kMostDigits = 9;
  const bool is_negative = text.front() == '-';
  if (!is_digit(text.front())) text.remove_prefix(1);
  text = without_leading_zeros(text);
  if (text.size() > kMostDigits) return false;
  std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (is_negative) exponent = -exponent;
  return true;
}

bool read_decimal(std::string_view text, Decimal& decimal) {
  decimal.integer = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimal.fraction = take_digits(text);
  }
  return text.empty() || read_exponent(text.substr(1), decimal.exponent);
}

}  // namespace

void append_canonical_string(std::string& out, std::string_view literal) {
  while (true) {
    const std::size_t plain = std::min(literal.find('\\'), literal.size());
    out.append(literal.substr(0, plain));
    literal.remove_prefix(plain);
    if (literal.empty()) return;
    literal.remove_prefix(append_escape(out, literal));
  }
}

bool append_canonical_number(std::string& out, std::string_view literal) {
  if (literal.front() == '-') {
    out += '-';
    literal.remove_prefix(1);
  }
  Decimal decimal;
  if (!read_decimal(literal, decimal)) return false;
  const std::size_t begin = out.size();
  out.append(without_leading_zeros(decimal.integer));
  out.append(out.size() == begin ? without_leading_zeros(decimal.fraction) : decimal.fraction);
  std::int64_t exponent = decimal.exponent - static_cast<std::int64_t>(decimal.fraction.size());
  while (out.size() > begin && out.back() == '0') {
    out.pop_back();
    ++exponent;
  }
  if (out.size() == begin) {
    out += '0';
  } else if (exponent != 0) {
    out.append("e").append(std::to_string(exponent));
  }
  return true;
}

std::string word_of(const JsonReader::Token& text) {
  constexpr std::size_t kMostBytes = 128;
  if (text.text.size() > kMostBytes) return {};
  std::string word;
  append_canonical_string(word, text.text.substr(1, text.text.size() - 2));
  return word;
}

}  // namespace aifd::protocol
