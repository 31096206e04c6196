// What is kept of the callers who lately came.
#pragma once

#include <cstdint>
#include <deque>
#include <forward_list>
#include <random>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/caller.hpp"
#include "aifd/config/rate_limit.hpp"
#include "aifd/services/rate_strategy.hpp"
#include "sip_hash.hpp"

namespace aifd::services {

// One caller under one rule.
struct CallerEntry {
  chain::CallerId caller{};
  std::uint32_t rule = 0;
  std::uint32_t next = 0;                                // the table's
  Clock::time_point expires = Clock::time_point::min();  // when it has no influence any more
  RateState first;                                       // of the rule's first limit
  std::forward_list<RateState> others;                   // of its other limits
};

// Calls function(state, limit) for each limit of the entry's rule. States that are not there yet
// are made.
template <class Function>
void for_each_limit(CallerEntry& entry, const config::RateLimits& limits, Function function) {
  if (limits.empty()) return;
  function(entry.first, limits.front());
  auto other = entry.others.before_begin();
  for (std::size_t i = 1; i < limits.size(); ++i) {
    if (std::next(other) == entry.others.end()) entry.others.emplace_after(other);
    function(*++other, limits[i]);
  }
}

// A hash table of bounded size; its owner locks it. The entries lie side by side, so that they can
// be looked through a few at a time and their memory goes with them.
class CallerTable {
 public:
  // 1 <= most < 2^32 - 1.
  CallerTable(std::size_t most, const SipKey& key);

  // The entry of this caller and rule, or null; `hash` is their sip_hash. Valid until the next
  // add() or sweep().
  CallerEntry* find(const chain::CallerId& caller, std::uint32_t rule, std::uint64_t hash) noexcept;

  // Makes the entry that is not there yet. Where that takes the place of another one, that is one
  // of those that expire soonest, and `evicted` is set.
  CallerEntry& add(const chain::CallerId& caller, std::uint32_t rule, std::uint64_t hash,
                   bool& evicted);

  // Looks at the next few entries and drops those that expired: with every call a few more, so that
  // all have their turn.
  void sweep(Clock::time_point now);

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  std::uint32_t& link_to(std::uint32_t index) noexcept;
  void erase(std::uint32_t index);
  void evict_one();
  void rehash(std::size_t buckets);

  const std::size_t most_;
  const SipKey key_;
  std::deque<CallerEntry> entries_;
  std::vector<std::uint32_t> heads_;  // of the buckets' chains; a power of two
  std::uint32_t swept_ = 0;           // the next to look at is the one before
  std::minstd_rand random_;
};

}  // namespace aifd::services
