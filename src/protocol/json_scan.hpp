// The smallest parts of JSON (RFC 8259).
#pragma once

#include <cstddef>
#include <string_view>

#include "aifd/base/words.hpp"

namespace aifd::protocol {

// Of the escapes of surrogates, two of which are one character. A stream may cut a text between
// them: each part then has a lone one.
enum class Surrogates { in_pairs, also_alone };

// Of what the text begins with, whatever follows; 0: it is not valid.
std::size_t json_number_length(std::string_view text) noexcept;
std::size_t json_literal_length(std::string_view text) noexcept;

constexpr bool is_json_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// What ends a plain part of a string: quotes, backslashes and controls. Of all of ASCII these alone
// and the quote, which it has instead of the space, are below 0x21 without their second bit.
inline Bytes mark_string_ends(Bytes bytes) noexcept {
  constexpr unsigned char kSecondBit = 2;
  return mark_equal(bytes, '\\') | mark_below(bytes ^ kSecondBit, 0x21);
}

struct ScannedString {
  std::size_t end;  // where its quote stands, or what is not valid; or the text's size
  bool has_escapes = false;
  bool has_surrogates = false;  // some of the escapes are of surrogates
};

// Goes through the string whose inside goes on at `at`; the first is for those that go far.
ScannedString scan_long_string(std::string_view text, std::size_t at, Surrogates allowed) noexcept;
inline ScannedString scan_string(std::string_view text, std::size_t at,
                                 Surrogates allowed) noexcept {
  if (text.size() - at < sizeof(Bytes)) return scan_long_string(text, at, allowed);
  const unsigned bits = bits_of(mark_string_ends(load_bytes(text.data() + at)));
  const std::size_t end = at + first_bit(bits);
  if (bits == 0 || text[end] == '\\') return scan_long_string(text, at, allowed);
  return {end};
}

}  // namespace aifd::protocol
