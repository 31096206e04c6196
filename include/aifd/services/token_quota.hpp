// How many tokens each caller may use in a window of time: reserved before a request, settled after
// it (TOKEN_QUOTA).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"

namespace aifd::services {

// Shared by all workers; safe to call from any thread. A window is fixed and begins with its first
// use. Counts live here alone: a restart forgets them.
class TokenQuota {
 public:
  // `most_entries`, of one caller and rule each, bounds the memory (about 200 bytes an entry, split
  // into 16 equal parts). Entries whose windows are over go little by little; where there are more
  // living ones, of a few the one that would end first is forgotten.
  explicit TokenQuota(std::size_t most_entries = 1'000'000);

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
  struct Key {
    chain::CallerId caller{};
    std::uint32_t rule = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::uint64_t seed;  // from the system, so that nobody can choose keys that collide
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Window {
    Clock::time_point start{};
    std::uint64_t used = 0;  // may be above the limit
  };
  struct Entry {
    std::vector<Window> windows;  // one for each limit of the rule
    Clock::time_point ends{};     // when the last of them is over
  };
  using Entries = std::unordered_map<Key, Entry, Hash>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;
    std::vector<const Entries::value_type*> order;  // all entries, for the hand to go round
    std::size_t hand = 0;
  };
  static constexpr std::size_t kShards = 16;

  static Window current(const Entry* entry, const LimitRule& rule, std::size_t limit,
                        Clock::time_point now) noexcept;
  static void decide(Answer& answer, const Entry* entry, const LimitRule& rule,
                     std::uint64_t tokens, Clock::time_point now) noexcept;
  static void take(Answer& answer, Entry& entry, Clock::time_point now);
  static void sweep(Shard& shard, Clock::time_point now) noexcept;
  static void forget(Shard& shard, std::size_t place) noexcept;
  Entry& insert(Shard& shard, const Key& key) const;
  Shard& shard_of(const Key& key) noexcept;

  Hash hash_;
  std::size_t most_in_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace aifd::services
