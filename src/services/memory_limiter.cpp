#include "aifd/services/memory_limiter.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>

#include "aifd/base/log.hpp"
#include "caller_table.hpp"
#include "sip_hash.hpp"

namespace aifd::services {
namespace {

using TimePoint = Clock::time_point;

constexpr std::size_t kMostShards = 64;
// A shard is full when its own share is, so none may be so small that chance fills it early.
constexpr std::size_t kFewestEntriesPerShard = 1024;
constexpr std::size_t kMostEntries = std::size_t{1} << 31;
constexpr std::chrono::minutes kBetweenWarnings{1};

// Calls function(state, limit) for each limit of the rule.
template <class Function>
void for_each_limit(CallerEntry& entry, const config::RateLimits& limits, Function function) {
  function(entry.first, limits.front());
  auto other = entry.others.begin();
  for (std::size_t i = 1; i < limits.size(); ++i) function(*other++, limits[i]);
}

// What the decision tells of a limit, if it tells more than those before it did.
void tell_of(const config::RateLimit& limit, const Standing& standing, LimitDecision& decision) {
  const bool first = decision.limit == 0;
  const bool tells_more = decision.admitted ? standing.remaining < decision.remaining
                                            : standing.wait > decision.retry_after;
  if (!first && !tells_more) return;
  decision.limit = limit.count;
  decision.remaining = standing.remaining;
  decision.reset = standing.reset;
  if (!decision.admitted) decision.retry_after = standing.wait;
}

LimitDecision decide(const RateStrategy& strategy, CallerEntry& entry,
                     const config::RateLimits& limits, TimePoint now) {
  LimitDecision decision;
  for_each_limit(entry, limits, [&](RateState& state, const config::RateLimit& limit) {
    if (!strategy.admits(state, limit, now)) decision.admitted = false;
  });
  Clock::duration longest_reset{};
  for_each_limit(entry, limits, [&](RateState& state, const config::RateLimit& limit) {
    const bool refuses = !decision.admitted && !strategy.admits(state, limit, now);
    if (decision.admitted) strategy.count(state, limit, now);
    if (refuses) strategy.note_refusal(state, now);
    const Standing standing = strategy.standing(state, limit, now);
    longest_reset = std::max(longest_reset, standing.reset);
    if (decision.admitted || refuses) tell_of(limit, standing, decision);
  });
  entry.expires = now + longest_reset;
  return decision;
}

}  // namespace

struct alignas(64) MemoryLimiter::Shard {
  mutable std::mutex mutex;
  TimePoint latest = TimePoint::min();
  std::optional<CallerTable> table;
};

MemoryLimiter::MemoryLimiter(config::RateLimitStrategy strategy, std::size_t most_entries)
    : strategy_(make_rate_strategy(strategy)),
      hash_key_(random_sip_key()),
      shard_count_(std::bit_floor(
          std::clamp(most_entries / kFewestEntriesPerShard, std::size_t{1}, kMostShards))),
      most_entries_(std::clamp(most_entries, std::size_t{1}, kMostEntries)),
      shards_(std::make_unique<Shard[]>(shard_count_)),
      next_warning_(Clock::rep{0}) {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    shards_[i].table.emplace(most_entries_ / shard_count_, hash_key_);
  }
}

MemoryLimiter::~MemoryLimiter() = default;

LimitDecision MemoryLimiter::hit(const chain::CallerId& caller, const LimitRule& rule,
                                 TimePoint now) {
  if (rule.limits.empty()) return {};
  const std::uint64_t hash = sip_hash(hash_key_, caller, rule.id);
  // By the upper half of the hash: the table's buckets go by the lower.
  Shard& shard = shards_[(hash >> 32) & (shard_count_ - 1)];
  bool evicted = false;
  LimitDecision decision;
  {
    const std::lock_guard lock(shard.mutex);
    shard.latest = std::max(shard.latest, now);
    shard.table->sweep(shard.latest);
    CallerEntry& entry = shard.table->at(caller, rule.id, hash, evicted);
    entry.others.resize(rule.limits.size() - 1);
    decision = decide(*strategy_, entry, rule.limits, shard.latest);
    const Clock::duration behind = shard.latest - now;
    decision.reset += behind;
    if (!decision.admitted) decision.retry_after += behind;
  }
  if (evicted) warn_of_eviction(now);
  return decision;
}

std::size_t MemoryLimiter::entries() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum += shards_[i].table->size();
  }
  return sum;
}

void MemoryLimiter::warn_of_eviction(TimePoint now) {
  const TimePoint::rep time = now.time_since_epoch().count();
  TimePoint::rep due = next_warning_.load(std::memory_order_relaxed);
  const Clock::duration pause = kBetweenWarnings;
  if (time < due || !next_warning_.compare_exchange_strong(due, time + pause.count())) return;
  log::warn(
      "too many callers to count them all: those whose limits end soonest are forgotten "
      "(at most {} are kept)",
      most_entries_);
}

}  // namespace aifd::services
