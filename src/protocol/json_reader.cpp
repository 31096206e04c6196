#include "json_reader.hpp"

#include <simdjson.h>

#include "aifd/base/hex.hpp"
#include "aifd/base/words.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Surrogates = JsonReader::Surrogates;
using Token = JsonReader::Token;

constexpr std::size_t kNone = 0;  // the length of what is not valid

constexpr CharClass kSpace{
    [](unsigned char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }};

std::size_t skip_plain(std::string_view text, std::size_t at) noexcept {
  return find_marked(text, at, [](auto words) {
    return mark_equal(words, '"') | mark_equal(words, '\\') | mark_below(words, 0x20);
  });
}

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

// Of the number that the text begins with. What follows it is not looked at.
std::size_t number_length(std::string_view text) noexcept {
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

std::size_t literal_length(std::string_view text) noexcept {
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (text.starts_with(literal)) return literal.size();
  }
  return kNone;
}

}  // namespace

JsonReader::JsonReader(std::string_view text, Surrogates allowed) noexcept
    : text_(text), allowed_(allowed) {
  if (!simdjson::validate_utf8(text.data(), text.size())) expected_ = Expected::nothing;
}

Token JsonReader::next() noexcept {
  skip_space();
  switch (expected_) {
    case Expected::value:
      return read_value();
    case Expected::first_name:
      return next_is('}') ? close() : read_name();
    case Expected::first_element:
      return next_is(']') ? close() : read_value();
    case Expected::separator:
      return read_after_value();
    case Expected::nothing:
      break;
  }
  return refuse();
}

std::string_view JsonReader::finish_value(const Token& first) noexcept {
  switch (first.kind) {
    case Kind::string:
    case Kind::number:
    case Kind::literal:
      return first.text;
    case Kind::begin_object:
    case Kind::begin_array:
      break;
    default:
      return {};
  }
  const std::size_t begin = static_cast<std::size_t>(first.text.data() - text_.data());
  for (const std::size_t outside = depth_ - 1; depth_ > outside;) {
    if (next().kind == Kind::invalid) return {};
  }
  return text_.substr(begin, at_ - begin);
}

Token JsonReader::read_after_value() noexcept {
  if (depth_ == 0) return at_ == text_.size() ? Token{Kind::end, {}} : refuse();
  if (next_is(in_array() ? ']' : '}')) return close();
  if (!next_is(',')) return refuse();
  ++at_;
  skip_space();
  return in_array() ? read_value() : read_name();
}

Token JsonReader::read_name() noexcept {
  const Token name = read_string(Kind::name);
  if (name.kind != Kind::name) return name;
  skip_space();
  if (!next_is(':')) return refuse();
  ++at_;
  expected_ = Expected::value;
  return name;
}

Token JsonReader::read_value() noexcept {
  if (at_ == text_.size()) return refuse();
  switch (text_[at_]) {
    case '{':
      return open(false);
    case '[':
      return open(true);
    case '"':
      return read_string(Kind::string);
    case 't':
    case 'f':
    case 'n':
      return read_scalar(Kind::literal, literal_length(rest()));
    default:
      return read_scalar(Kind::number, number_length(rest()));
  }
}

Token JsonReader::read_string(Kind kind) noexcept {
  if (!next_is('"')) return refuse();
  Token token{kind, {}};
  std::size_t at = skip_plain(text_, at_ + 1);
  while (at < text_.size() && text_[at] == '\\') {
    const std::size_t length = escape_length(text_.substr(at), allowed_);
    if (length == kNone) return refuse();
    token.has_escapes = true;
    at = skip_plain(text_, at + length);
  }
  if (at == text_.size() || text_[at] != '"') return refuse();
  token.text = text_.substr(at_, at + 1 - at_);
  at_ = at + 1;
  expected_ = Expected::separator;
  return token;
}

Token JsonReader::read_scalar(Kind kind, std::size_t length) noexcept {
  if (length == kNone) return refuse();
  const Token token{kind, text_.substr(at_, length)};
  at_ += length;
  expected_ = Expected::separator;
  return token;
}

Token JsonReader::open(bool is_array) noexcept {
  if (depth_ == kMaxDepth) return refuse();
  is_array_[depth_++] = is_array;
  expected_ = is_array ? Expected::first_element : Expected::first_name;
  return {is_array ? Kind::begin_array : Kind::begin_object, text_.substr(at_++, 1)};
}

Token JsonReader::close() noexcept {
  const Kind kind = in_array() ? Kind::end_array : Kind::end_object;
  --depth_;
  expected_ = Expected::separator;
  return {kind, text_.substr(at_++, 1)};
}

Token JsonReader::refuse() noexcept {
  expected_ = Expected::nothing;
  return {Kind::invalid, rest()};
}

void JsonReader::skip_space() noexcept {
  while (at_ < text_.size() && kSpace.has(text_[at_])) ++at_;
}

}  // namespace aifd::protocol
