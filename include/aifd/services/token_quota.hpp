// How many tokens each caller may use in a window of time: reserved before a request, settled after
// it (TOKEN_QUOTA).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/caller.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"

namespace aifd::services {

class SharedCallers;

// Shared by all workers; safe to call from any thread. A window is fixed and begins with its first
// use. Counts live here alone: a restart forgets them.
class TokenQuota {
 public:
  // `most_entries`, of one caller and rule each, bounds the memory as in MemoryLimiter, whose
  // entries are as large.
  explicit TokenQuota(std::size_t most_entries = 1'000'000);
  ~TokenQuota();
  TokenQuota(const TokenQuota&) = delete;
  TokenQuota& operator=(const TokenQuota&) = delete;

  // What was taken, to be given back to settle() exactly once.
  struct Reservation {
    chain::CallerId caller{};
    const LimitRule* rule = nullptr;
    std::uint64_t tokens = 0;
    std::vector<Clock::time_point> window_starts;  // of each limit of the rule
  };

  struct Answer {
    LimitDecision decision;
    // More tokens than one of the limits allows at all: no wait helps, retry_after is zero.
    bool never = false;
    Reservation reservation;  // where admitted
  };

  // Takes the tokens under all limits of the rule, or under none. The rule outlives the
  // reservation. All rules come from one LimitRules, or from a later one that replaces it.
  Answer reserve(const chain::CallerId& caller, const LimitRule& rule, std::uint64_t tokens,
                 Clock::time_point now);

  // Puts what was really used, more or less, in the place of what was reserved, in those of its
  // windows that still last. What is more than reserved counts in the next window where one is
  // over, or an answer longer than the window would cost nothing. Above a limit nothing remains
  // until its window ends.
  void settle(const Reservation& reservation, std::uint64_t used, Clock::time_point now) noexcept;

  std::size_t entries() const;

 private:
  const std::unique_ptr<SharedCallers> callers_;
};

}  // namespace aifd::services
