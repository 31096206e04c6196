// Which answers are kept, and what of their heads.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "aifd/protocol/fields.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::middleware {

struct KeptHead {
  std::vector<services::CacheField> fields;
  std::chrono::seconds ttl{0};  // 0: for ever
};

// nullopt: the answer is not kept. Of an openai route it is one that a person asked to keep, so
// that the upstream's word on caching does not count there; on others it does (RFC 9111, 3).
// `ttl`: the longest, as CACHE_TTL says; 0: none.
std::optional<KeptHead> kept_head(const protocol::ResponseHead& head, bool openai,
                                  std::chrono::seconds ttl);

// Whether a field of an answer is about the very bytes of its body, and untrue of others.
bool is_of_bytes(std::string_view name);

}  // namespace aifd::middleware
