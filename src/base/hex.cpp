#include "aifd/base/hex.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace aifd {
namespace {

// Of each byte: half the work of a digit at a time.
constexpr auto kPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return pairs;
}();

}  // namespace

void append_hex(std::string& text, std::span<const unsigned char> bytes) {
  const std::size_t begin = text.size();
  text.resize(begin + 2 * bytes.size());
  char* at = text.data() + begin;
  for (const unsigned char byte : bytes) at = std::ranges::copy(kPairs[byte], at).out;
}

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

}  // namespace aifd
