// Request limits counted in this process.
#pragma once

#include <cstddef>
#include <memory>

#include "aifd/base/clock.hpp"
#include "aifd/chain/caller.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/rate_strategy.hpp"

namespace aifd::services {

class SharedCallers;

// Thread-safe and exact: a limit of 100 is 100, however many workers share it. Callers and rules
// are told apart by CallerId and LimitRule::id, so all rules are of one LimitRules.
//
// An entry (one caller under one rule) takes 80 bytes, 48 more for each limit after the rule's
// first, and with moving-window 8 to 16 for each admitted request that still counts (32 at least).
// Entries that expired are dropped bit by bit as requests come.
class MemoryLimiter {
 public:
  // `most_entries` is never exceeded: past it a caller whose entry would expire soon is forgotten,
  // which gives that caller a fresh start, and a warning is logged, once a minute at most. 0 is
  // taken as 1.
  explicit MemoryLimiter(config::RateLimitStrategy strategy, std::size_t most_entries = 2'000'000);
  ~MemoryLimiter();
  MemoryLimiter(const MemoryLimiter&) = delete;
  MemoryLimiter& operator=(const MemoryLimiter&) = delete;

  // Counts one request under all limits of the rule, or under none of them if one refuses it.
  // `now` may be a little behind what another thread gave: it is then taken as that.
  LimitDecision hit(const chain::CallerId& caller, const LimitRule& rule, Clock::time_point now);

  std::size_t entries() const;

 private:
  const std::unique_ptr<const RateStrategy> strategy_;
  const std::unique_ptr<SharedCallers> callers_;
};

}  // namespace aifd::services
