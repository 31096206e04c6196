// Records for the tests of the stores on disk.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "aifd/services/cache_entry_codec.hpp"
#include "cache_records.hpp"
#include "cache_samples.hpp"

namespace aifd::services {

inline CacheRecord record_of(unsigned number, const std::string& body, std::int64_t expires_at = 0,
                             std::int64_t stored_at = 1) {
  const CacheEntryPtr entry = cache_answer(body, expires_at, stored_at);
  return {cache_key(number), encode_cache_entry(cache_key(number), *entry), stored_at};
}

inline bool put(CacheRecords& records, const CacheRecord& record) {
  return !records.write(std::span(&record, 1));
}

inline std::optional<std::string> body_of(CacheRecords& records, unsigned number) {
  std::optional<std::string> bytes;
  if (records.read(cache_key(number), bytes) || !bytes) return std::nullopt;
  const auto entry = decode_cache_entry(cache_key(number), *bytes);
  return entry ? std::optional(entry->body) : std::nullopt;
}

inline std::string body_for(unsigned number) {
  return std::string(10 + number * 97 % 9000, static_cast<char>('a' + number % 26));
}

}  // namespace aifd::services
