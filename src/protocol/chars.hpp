// Character classes as tables, built at compile time.
#pragma once

#include <array>
#include <string_view>

#include "aifd/protocol/iequals.hpp"

namespace aifd::protocol {

class CharClass {
 public:
  template <class Predicate>
  constexpr explicit CharClass(Predicate belongs) {
    for (unsigned c = 0; c < 256; ++c) member_[c] = belongs(static_cast<unsigned char>(c));
  }

  constexpr bool has(char c) const noexcept { return member_[static_cast<unsigned char>(c)]; }

  constexpr bool has_all(std::string_view text) const noexcept {
    for (const char c : text) {
      if (!has(c)) return false;
    }
    return true;
  }

 private:
  std::array<bool, 256> member_{};
};

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_alpha(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Where `prefix` is in lower case.
constexpr bool istarts_with(std::string_view text, std::string_view prefix) noexcept {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (to_lower(text[i]) != prefix[i]) return false;
  }
  return true;
}

// RFC 9110, 5.6.2.
inline constexpr CharClass kTokenChars{[](unsigned char c) {
  return is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c)) ||
         (c != 0 &&
          std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos);
}};

// RFC 9110, 5.5: field-vchar, obs-text, space and tab.
inline constexpr CharClass kFieldValueChars{
    [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7F); }};

// RFC 3986, 2.3: what needs no percent-encoding anywhere.
inline constexpr CharClass kUnreservedChars{[](unsigned char c) {
  return is_alpha(static_cast<char>(c)) || is_digit(static_cast<char>(c)) || c == '-' || c == '.' ||
         c == '_' || c == '~';
}};

}  // namespace aifd::protocol
