// The callers that all workers count together.
#pragma once

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/chain/caller.hpp"
#include "caller_table.hpp"
#include "sip_hash.hpp"

namespace aifd::services {

// Thread-safe: what one caller has under one rule is in one shard, under that shard's lock. Entries
// that expired are dropped bit by bit, some with every visit that may add one.
class SharedCallers {
 public:
  // `most_entries` (0 is taken as 1) is never exceeded: past it one of those who expire soonest
  // makes room, and a warning is logged, once a minute at most. `counted`, a literal, names in it
  // what is counted ("requests").
  SharedCallers(std::string_view counted, std::size_t most_entries);

  // Calls function(entry, latest) under the lock, with the entry of this caller and rule; `latest`
  // is `now`, or what another thread gave where that is later. Where there is no entry and none is
  // to be made (`make`), the entry is a blank one that is not kept.
  template <class Function>
  void visit(const chain::CallerId& caller, std::uint32_t rule, bool make, Clock::time_point now,
             Function function) {
    const std::uint64_t hash = sip_hash(hash_key_, caller, rule);
    bool evicted = false;
    {
      Shard& shard = shard_of(hash);
      const std::lock_guard lock(shard.mutex);
      shard.latest = std::max(shard.latest, now);
      if (make) shard.table.sweep(shard.latest);
      std::optional<CallerEntry> blank;
      CallerEntry* entry = shard.table.find(caller, rule, hash);
      if (entry == nullptr) {
        entry = make ? &shard.table.add(caller, rule, hash, evicted) : &blank.emplace();
      }
      function(*entry, shard.latest);
    }
    if (evicted) warn_of_eviction(now);
  }

  std::size_t entries() const;

 private:
  struct alignas(64) Shard {
    Shard(std::size_t most, const SipKey& key) : table(most, key) {}

    mutable std::mutex mutex;
    Clock::time_point latest = Clock::time_point::min();
    CallerTable table;
  };

  // By the upper half of the hash: the table's buckets go by the lower.
  Shard& shard_of(std::uint64_t hash) noexcept {
    return shards_[(hash >> 32) & (shards_.size() - 1)];
  }
  void warn_of_eviction(Clock::time_point now);

  const std::string_view counted_;
  const std::size_t most_entries_;
  const SipKey hash_key_ = random_sip_key();
  std::deque<Shard> shards_;                // as many as a power of two
  std::atomic<Clock::rep> next_warning_{};  // since the clock's epoch
};

}  // namespace aifd::services
