// What is kept of the callers who lately came.
#pragma once

#include <cstdint>
#include <deque>
#include <forward_list>
#include <random>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/exchange.hpp"
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

// A hash table of bounded size; its owner locks it. The entries lie side by side, so that they can
// be looked through a few at a time and their memory goes with them.
class CallerTable {
 public:
  // 1 <= most < 2^32 - 1.
  CallerTable(std::size_t most, const SipKey& key);

  // The entry of this caller and rule, made where there is none; `hash` is their sip_hash. Where
  // that takes the place of another entry, that is one of those that expire soonest, and `evicted`
  // is set. Valid until the next call.
  CallerEntry& at(const chain::CallerId& caller, std::uint32_t rule, std::uint64_t hash,
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
