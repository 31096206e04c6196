// A checksum that finds every damage of up to 64 bits in a row, and others but for one in 2^64.
#pragma once

#include <cstdint>
#include <string_view>

namespace aifd::services {

// CRC-64/XZ; goes on from `before`, the checksum of the bytes ahead of these.
// https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-xz
std::uint64_t crc64(std::string_view bytes, std::uint64_t before = 0) noexcept;

}  // namespace aifd::services
