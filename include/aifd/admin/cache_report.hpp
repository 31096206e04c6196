// What is said about the answer cache to its operator: by a running daemon, and by `aifd cache`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aifd/services/cache_store.hpp"

namespace aifd::admin {

// What a store does not know of itself.
struct CacheFacts {
  std::string place;            // "LMDB in ./FLAXKV_DB"
  std::uint64_t max_bytes = 0;  // what all answers may take; 0: not ours to bound
  bool counted = true;          // whether its counters mean anything: not of one just opened
};

// An answer to the operator. `text` of a status other than 200 is one line that says why.
struct CacheReport {
  int status = 200;
  std::string_view content_type = "text/plain";
  std::string text;
};

CacheReport report_stat(const services::CacheStat& stat, const CacheFacts& facts, bool as_json);

CacheReport report_clearing(const services::CacheClearing& clearing, const CacheFacts& facts);

// Of what the store found: the answer as an HTTP message, its head with two fields more,
// x-aifd-stored and x-aifd-expires. 404 for a null pointer.
CacheReport report_entry(const services::CacheStore& store, const CacheFacts& facts,
                         const services::CacheEntryPtr& entry);

// 64 hex digits, in any case.
std::optional<services::CacheKey> parse_cache_key(std::string_view text) noexcept;

}  // namespace aifd::admin
