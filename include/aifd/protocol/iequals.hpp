// Texts compared without regard to the case of ASCII letters, and without locale; for field names
// and tokens.
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace aifd::protocol {

// Of two texts of one size.
bool iequals_of_one_size(std::string_view a, std::string_view b) noexcept;

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Most that differ do so in their size, or in their first or last letter.
constexpr bool iequals(std::string_view a, std::string_view b) noexcept {
  constexpr int kCase = 'a' ^ 'A';
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
  }
  const int differs = (a.front() ^ b.front()) | (a.back() ^ b.back());
  return (differs & ~kCase) == 0 && iequals_of_one_size(a, b);
}

}  // namespace aifd::protocol
