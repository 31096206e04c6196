#include "aifd/services/token_quota.hpp"

#include <algorithm>
#include <limits>

#include "shared_callers.hpp"

namespace aifd::services {
namespace {

using config::RateLimit;
using TimePoint = Clock::time_point;

constexpr Clock::duration kNever = Clock::duration::max();

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return b > kMost - a ? kMost : a + b;
}

// A window whose tokens were all given back lasts on, so that one that never began tells by its
// beginning.
bool lasts(const WindowCount& window, const RateLimit& limit, TimePoint now) noexcept {
  return window.begin != WindowCount{}.begin && now - window.begin < limit.window;
}

// The window that lasts, or one that begins now.
WindowCount current(const WindowCount& window, const RateLimit& limit, TimePoint now) noexcept {
  return lasts(window, limit, now) ? window : WindowCount{now};
}

void count(CallerEntry& entry, WindowCount& window, const RateLimit& limit, std::uint64_t tokens,
           TimePoint now) noexcept {
  if (!lasts(window, limit, now)) window = {now};
  window.used = saturating_add(window.used, tokens);
  entry.expires = std::max(entry.expires, window.begin + limit.window);
}

// Calls function(window, limit) for each limit of the rule.
template <class Function>
void for_each_window(CallerEntry& entry, const LimitRule& rule, Function function) {
  for_each_limit(entry, rule.limits, [&](RateState& state, const RateLimit& limit) {
    function(std::get<WindowCount>(state), limit);
  });
}

// What one limit says of a request. Its wait is kNever if the limit allows less than that at all.
LimitDecision decide(const WindowCount& window, const RateLimit& limit, std::uint64_t tokens,
                     TimePoint now) noexcept {
  const std::uint64_t free = limit.count - std::min(window.used, limit.count);
  const Clock::duration rest = window.begin + limit.window - now;
  if (tokens <= free) return {true, limit.count, free - tokens, rest, {}};
  return {false, limit.count, free, rest, tokens > limit.count ? kNever : rest};
}

bool tells_more(const LimitDecision& a, const LimitDecision& b) noexcept {
  if (a.retry_after != b.retry_after) return a.retry_after > b.retry_after;
  return a.remaining < b.remaining;
}

}  // namespace

TokenQuota::TokenQuota(std::size_t most_entries)
    : callers_(std::make_unique<SharedCallers>("tokens", most_entries)) {}

TokenQuota::~TokenQuota() = default;

TokenQuota::Answer TokenQuota::reserve(const chain::CallerId& caller, const LimitRule& rule,
                                       std::uint64_t tokens, TimePoint now) {
  Answer answer;
  LimitDecision& decision = answer.decision;
  answer.never = std::ranges::any_of(rule.limits,
                                     [&](const RateLimit& limit) { return tokens > limit.count; });
  Reservation taken{caller, &rule, tokens, {}};
  taken.window_starts.reserve(rule.limits.size());
  callers_->visit(caller, rule.id, !answer.never, now, [&](CallerEntry& entry, TimePoint latest) {
    for_each_window(entry, rule, [&](const WindowCount& window, const RateLimit& limit) {
      const LimitDecision other = decide(current(window, limit, latest), limit, tokens, now);
      if (decision.limit == 0 || tells_more(other, decision)) decision = other;
    });
    if (!decision.admitted) return;
    for_each_window(entry, rule, [&](WindowCount& window, const RateLimit& limit) {
      count(entry, window, limit, tokens, latest);
      taken.window_starts.push_back(window.begin);
    });
  });
  if (answer.never) decision.retry_after = {};
  if (decision.admitted) answer.reservation = std::move(taken);
  return answer;
}

void TokenQuota::settle(const Reservation& reservation, std::uint64_t used,
                        TimePoint now) noexcept {
  if (reservation.rule == nullptr) return;
  const LimitRule& rule = *reservation.rule;
  const std::uint64_t reserved = reservation.tokens;
  const std::uint64_t surplus = used - std::min(used, reserved);
  const auto settle_all = [&](CallerEntry& entry, TimePoint latest) {
    auto start = reservation.window_starts.begin();
    for_each_window(entry, rule, [&](WindowCount& window, const RateLimit& limit) {
      const bool is_reserved_one = window.begin == *start++;
      if (is_reserved_one && lasts(window, limit, latest)) {
        window.used = saturating_add(window.used - std::min(window.used, reserved), used);
      } else if (surplus > 0) {
        count(entry, window, limit, surplus, latest);
      }
    });
  };
  callers_->visit(reservation.caller, rule.id, surplus > 0, now, settle_all);
}

std::size_t TokenQuota::entries() const {
  return callers_->entries();
}

}  // namespace aifd::services
