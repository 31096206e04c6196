// Answers from the cache, in the form that the caller asked for.
#pragma once

#include <cstdint>
#include <optional>

#include "aifd/chain/reply.hpp"
#include "aifd/services/aside.hpp"
#include "aifd/services/cache_store.hpp"
#include "cache_question.hpp"

namespace aifd::middleware {

// The field by which an entry says that its stream was asked for with its usage. Not a name that a
// head can have, and not replayed.
inline constexpr std::string_view kAskedUsage = ":asked-usage";

// nullopt: the entry cannot answer this caller (another form into which it cannot be converted, or
// a usage that it does not hold), so the upstream must. A stream goes out byte for byte where it is
// one, but for the usage that this caller did not ask for.
Task<std::optional<chain::Reply>> reply_from_entry(chain::Exchange& exchange,
                                                   services::CacheEntryPtr entry,
                                                   const CacheQuestion& question, std::int64_t now,
                                                   services::Aside& aside);

// Whether an answer of an openai route went well as far as it says itself: a stream may say an
// error, and an end of its connection may be no end of its.
bool went_well(const services::CacheEntry& entry);

// Gives a recorded stream that goes out as one its recorded rhythm.
void replay_in_rhythm(chain::Exchange& exchange, services::CacheEntryPtr entry);

}  // namespace aifd::middleware
