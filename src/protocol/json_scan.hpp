// The smallest parts of JSON (RFC 8259), each at the beginning of a text; what follows is not
// looked at. Lengths are 0 for what is not valid.
#pragma once

#include <cstddef>
#include <string_view>

#include "aifd/base/words.hpp"

namespace aifd::protocol {

// A stream may cut a text between the two escapes of a pair: each part then has a lone one.
enum class Surrogates { in_pairs, also_alone };

// Where they are needed in pairs, a pair is one escape.
std::size_t json_escape_length(std::string_view text, Surrogates allowed) noexcept;
std::size_t json_number_length(std::string_view text) noexcept;
std::size_t json_literal_length(std::string_view text) noexcept;

constexpr bool is_json_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Past what stands for itself in a string.
inline std::size_t skip_plain_json(std::string_view text, std::size_t at) noexcept {
  return find_marked(text, at, [](auto words) {
    return mark_equal(words, '"') | mark_equal(words, '\\') | mark_below(words, 0x20);
  });
}

}  // namespace aifd::protocol
