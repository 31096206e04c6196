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

// Past what stands for itself in a string.
inline std::size_t skip_plain_json(std::string_view text, std::size_t at) noexcept {
  return find_marked(text, at, [](Bytes bytes) {
    return mark_equal(bytes, '"') | mark_equal(bytes, '\\') | mark_below(bytes, 0x20);
  });
}

// The same, from an escape on and with all that follow; stops at one that is not valid.
std::size_t skip_escapes_json(std::string_view text, std::size_t at, Surrogates allowed) noexcept;

}  // namespace aifd::protocol
