#include "aifd/protocol/iequals.hpp"

#include <cstdint>
#include <cstring>

namespace aifd::protocol {

namespace {

bool iequals_bytes(const char* a, const char* b, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

constexpr std::size_t kWord = sizeof(std::uint64_t);

bool iequals_word(const char* a, const char* b) noexcept {
  return std::memcmp(a, b, kWord) == 0 || iequals_bytes(a, b, kWord);
}

}  // namespace

// Most that are equal are so in their case too. The last word of a long text may overlap another.
bool iequals_of_one_size(std::string_view a, std::string_view b) noexcept {
  if (a.size() < kWord) return iequals_bytes(a.data(), b.data(), a.size());
  const std::size_t last = a.size() - kWord;
  for (std::size_t at = 0; at < last; at += kWord) {
    if (!iequals_word(a.data() + at, b.data() + at)) return false;
  }
  return iequals_word(a.data() + last, b.data() + last);
}

}  // namespace aifd::protocol
