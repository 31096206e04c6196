// Tokens where nobody has counted them.
#pragma once

#include <cstdint>

namespace aifd::protocol {

inline constexpr std::uint64_t kBytesPerToken = 4;

// What a text of that many bytes has, about.
constexpr std::uint64_t estimated_tokens(std::uint64_t bytes) noexcept {
  return bytes / kBytesPerToken + (bytes % kBytesPerToken != 0 ? 1 : 0);
}

}  // namespace aifd::protocol
