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

std::string hex(std::span<const unsigned char> bytes) {
  std::string text(2 * bytes.size(), '0');
  char* at = text.data();
  for (const unsigned char byte : bytes) at = std::ranges::copy(kPairs[byte], at).out;
  return text;
}

}  // namespace aifd
