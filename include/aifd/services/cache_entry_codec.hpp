// Cache entries as bytes, for stores outside this process.
//
// A record, all numbers lowest byte first:
//
//   offset  bytes
//        0      8  magic "AIFDANSW"
//        8      4  version of this format, 1
//       12      2  status
//       14      2  flags; bit 0: event stream; all others 0
//       16      8  length of the whole record
//       24      8  stored at, seconds since 1970, signed
//       32      8  expires at, the same; 0: never
//       40      4  number of fields
//       44      4  number of beats
//       48      8  length of the body
//       56         fields: 4 bytes length of the name, 4 of the value, name, value
//                  beats: 8 bytes offset, 4 bytes milliseconds
//                  body
//      end      8  CRC-64/XZ of the key's 32 bytes and all bytes of the record before it
//
// The checksum finds damage and mixed-up records; it is no protection from who writes on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

std::string encode_cache_entry(const CacheKey& key, const CacheEntry& entry);

// nullopt: not a whole, undamaged record of this version that was made for this key. Takes memory
// in the order of the record's length, whatever it says.
std::optional<CacheEntry> decode_cache_entry(const CacheKey& key, std::string_view record);

// The times in a record's head, without looking at the rest. nullopt: not a record of this version.
struct CacheRecordTimes {
  std::int64_t stored_at = 0;
  std::int64_t expires_at = 0;
};
std::optional<CacheRecordTimes> cache_record_times(std::string_view record) noexcept;

}  // namespace aifd::services
