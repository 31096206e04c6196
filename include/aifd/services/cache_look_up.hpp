// Many entries of a cache store, asked for together.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::services {

// Once one of them is reached, nothing more is asked for; what was asked for still comes.
struct LookUpBounds {
  std::size_t at_a_time = 16;  // questions to the store, at least one
  std::chrono::milliseconds time{250};
  std::size_t body_bytes = std::numeric_limits<std::size_t>::max();  // of all that was found
  std::function<Clock::time_point()> clock = Clock::now;
};

// One for each key, in their order. Null: a miss, or not asked for. A store that is away or silent
// costs `time` and one deadline of the store's, however many keys there are. Otherwise as
// CacheStore::get().
Task<std::vector<CacheEntryPtr>> get_many(CacheStore& store, std::vector<CacheKey> keys,
                                          LookUpBounds bounds);

}  // namespace aifd::services
