// A hash that nobody can aim at without its key.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "aifd/chain/caller.hpp"

namespace aifd::services {

using SipKey = std::array<std::uint64_t, 2>;

// From the system's source of randomness.
SipKey random_sip_key();

// SipHash-1-3 of the caller's 16 bytes and the rule's 4, lowest first; the same on every machine.
// https://www.aumasson.jp/siphash/siphash.pdf
std::uint64_t sip_hash(const SipKey& key, const chain::CallerId& caller,
                       std::uint32_t rule) noexcept;

// The same of a text.
std::uint64_t sip_hash(const SipKey& key, std::string_view text) noexcept;

}  // namespace aifd::services
