// By what the cache knows a request again.
#pragma once

#include <array>

#include "aifd/protocol/cache_key_parts.hpp"

namespace aifd::services {

// A SHA-256 digest of all that decides which answer is right, the caller's scope included: nobody
// can make two requests that have one key, nor tell from a key what was asked.
using CacheKey = std::array<unsigned char, 32>;

// Equal parts, equal keys, also in another process and on another machine. From any thread.
CacheKey make_cache_key(const protocol::CacheKeyParts& parts);

}  // namespace aifd::services
