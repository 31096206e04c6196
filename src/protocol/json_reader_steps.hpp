// JsonReader's steps, for json_reader.hpp: compilers make one loop of them where they are used.
#pragma once

#include "json_reader.hpp"

namespace aifd::protocol {

inline JsonReader::Token JsonReader::next() noexcept {
  const char first = skip_space();
  switch (expected_) {
    case Expected::value:
      return read_value(first);
    case Expected::first_name:
      return first == '}' ? close() : read_name(first);
    case Expected::first_element:
      return first == ']' ? close() : read_value(first);
    case Expected::separator:
      return read_after_value(first);
    case Expected::nothing:
      break;
  }
  return refuse();
}

inline JsonReader::Token JsonReader::read_after_value(char first) noexcept {
  if (depth_ == 0) return at_ == text_.size() ? Token{Kind::end, {}} : refuse();
  const bool is_element = in_array();
  if (first == (is_element ? ']' : '}')) return close();
  if (first != ',') return refuse();
  ++at_;
  first = skip_space();
  return is_element ? read_value(first) : read_name(first);
}

inline JsonReader::Token JsonReader::read_name(char first) noexcept {
  if (first != '"') return refuse();
  Token name = read_string(Kind::name);
  if (name.kind != Kind::name) return name;
  if (skip_space() != ':') return name = refuse();
  ++at_;
  expected_ = Expected::value;
  return name;
}

inline JsonReader::Token JsonReader::read_value(char first) noexcept {
  switch (first) {
    case '{':
      return open(false);
    case '[':
      return open(true);
    case '"':
      return read_string(Kind::string);
    case 't':
    case 'f':
    case 'n':
      return read_scalar(Kind::literal, json_literal_length(rest()));
    default:
      return read_scalar(Kind::number, json_number_length(rest()));
  }
}

inline JsonReader::Token JsonReader::read_string(Kind kind) noexcept {
  const ScannedString string = scan_string(text_, at_ + 1, allowed_);
  if (string.end >= text_.size() || text_[string.end] != '"') return refuse();
  expected_ = Expected::separator;
  return {kind, take(string.end + 1 - at_), string.has_escapes, string.has_surrogates};
}

inline JsonReader::Token JsonReader::read_scalar(Kind kind, std::size_t length) noexcept {
  if (length == 0) return refuse();
  expected_ = Expected::separator;
  return {kind, take(length)};
}

inline JsonReader::Token JsonReader::open(bool is_array) noexcept {
  if (depth_ == kMaxDepth) return refuse();
  is_array_[depth_++] = is_array;
  expected_ = is_array ? Expected::first_element : Expected::first_name;
  return {is_array ? Kind::begin_array : Kind::begin_object, take(1)};
}

inline JsonReader::Token JsonReader::close() noexcept {
  const Kind kind = in_array() ? Kind::end_array : Kind::end_object;
  --depth_;
  expected_ = Expected::separator;
  return {kind, take(1)};
}

inline JsonReader::Token JsonReader::refuse() noexcept {
  expected_ = Expected::nothing;
  return {Kind::invalid, rest()};
}

// Gives the character that stands there; of the text's end 0, which is valid nowhere either.
inline char JsonReader::skip_space() noexcept {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (!is_json_space(c)) return c;
  }
  return '\0';
}

// Of bytes that are there.
inline std::string_view JsonReader::take(std::size_t length) noexcept {
  const std::string_view taken(text_.data() + at_, length);
  at_ += length;
  return taken;
}

}  // namespace aifd::protocol
