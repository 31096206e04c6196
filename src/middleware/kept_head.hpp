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

// Whether an answer on its way is also for others who ask the same meanwhile. Of an openai route
// it is, and so is every failure. Others of a general route are not where the upstream says that
// they are for one caller, or differ by what the key of the cache does not tell (RFC 9111, 4).
bool is_for_others(const protocol::ResponseHead& head, bool openai);

// Whether such a field of an answer is as true of an equal request's: not of the connection, nor of
// the one exchange with the upstream.
bool is_replayed(std::string_view name);

// Whether a field of an answer is about the very bytes of its body, and untrue of others.
bool is_of_bytes(std::string_view name);

}  // namespace aifd::middleware
