#include "aifd/services/memory_limiter.hpp"

#include <algorithm>

#include "shared_callers.hpp"

namespace aifd::services {
namespace {

using TimePoint = Clock::time_point;

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

MemoryLimiter::MemoryLimiter(config::RateLimitStrategy strategy, std::size_t most_entries)
    : strategy_(make_rate_strategy(strategy)),
      callers_(std::make_unique<SharedCallers>("requests", most_entries)) {}

MemoryLimiter::~MemoryLimiter() = default;

LimitDecision MemoryLimiter::hit(const chain::CallerId& caller, const LimitRule& rule,
                                 TimePoint now) {
  if (rule.limits.empty()) return {};
  LimitDecision decision;
  callers_->visit(caller, rule.id, true, now, [&](CallerEntry& entry, TimePoint latest) {
    decision = decide(*strategy_, entry, rule.limits, latest);
    const Clock::duration behind = latest - now;
    decision.reset += behind;
    if (!decision.admitted) decision.retry_after += behind;
  });
  return decision;
}

std::size_t MemoryLimiter::entries() const {
  return callers_->entries();
}

}  // namespace aifd::services
