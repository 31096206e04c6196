// Keys and answers for the tests of the cache's stores.
#pragma once

#include <memory>
#include <string>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

inline CacheKey cache_key(unsigned number) {
  CacheKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<unsigned char>((number * 2654435761U) >> (i % 4 * 8));
  }
  key[0] = static_cast<unsigned char>(number);
  key[1] = static_cast<unsigned char>(number >> 8);
  return key;
}

inline CacheEntry cache_sample() {
  CacheEntry entry;
  entry.status = 203;
  entry.fields = {{"Content-Type", "text/event-stream"}, {"X-Empty", ""}};
  entry.body = "data: {\"a\":1}\n\ndata: [DONE]\n\n";
  entry.body.push_back('\0');
  entry.event_stream = true;
  entry.stored_at = 1'700'000'000;
  entry.expires_at = 1'700'000'600;
  entry.rhythm = {{0, 0}, {15, 250}};
  return entry;
}

inline CacheEntryPtr cache_answer(std::string body, std::int64_t expires_at = 0,
                                  std::int64_t stored_at = 1) {
  auto entry = std::make_shared<CacheEntry>();
  entry->body = std::move(body);
  entry->stored_at = stored_at;
  entry->expires_at = expires_at;
  return entry;
}

}  // namespace aifd::services
