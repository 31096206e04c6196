// What an exchange and the answer cache had to do with each other.
#pragma once

#include <array>
#include <string_view>

namespace aifd::chain {

// What the cache did for a request; none where it had no part in it.
enum class CacheUse { none, hit, miss, bypass };

std::string_view to_string(CacheUse use) noexcept;  // "hit"; "" for none

// By what the cache knows a request again. Logs show it in hex: it holds nothing of what was asked.
using CacheDigest = std::array<unsigned char, 32>;

}  // namespace aifd::chain
