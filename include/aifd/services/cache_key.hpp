// By what the cache knows a request again.
#pragma once

#include <array>

#include "aifd/protocol/cache_key_parts.hpp"

namespace aifd::services {

// SHA-256: nobody can make two requests that have one key, nor tell from a key what was asked.
struct CacheKey {
  std::array<unsigned char, 32> bytes{};

  friend bool operator==(const CacheKey&, const CacheKey&) = default;
};

// Equal parts, equal keys, also in another process and on another machine. From any thread.
CacheKey make_cache_key(const protocol::CacheKeyParts& parts);

}  // namespace aifd::services
