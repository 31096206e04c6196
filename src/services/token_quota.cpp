#include "aifd/services/token_quota.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>

namespace aifd::services {
namespace {

constexpr std::size_t kSweptAtOnce = 2;
constexpr std::size_t kSeenBeforeForgetting = 8;

std::uint64_t mixed(std::uint64_t bits) noexcept {
  bits ^= bits >> 32;
  bits *= 0xd6e8feb86659fd93U;
  return bits ^ bits >> 32;
}

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return b > kMost - a ? kMost : a + b;
}

// What one limit says of a request.
struct Opinion {
  LimitDecision decision;
  bool never = false;
};

bool outweighs(const Opinion& a, const Opinion& b) noexcept {
  if (a.never != b.never) return a.never;
  if (a.decision.admitted != b.decision.admitted) return !a.decision.admitted;
  if (a.decision.retry_after != b.decision.retry_after) {
    return a.decision.retry_after > b.decision.retry_after;
  }
  return a.decision.remaining < b.decision.remaining;
}

}  // namespace

std::size_t TokenQuota::Hash::operator()(const Key& key) const noexcept {
  std::array<std::uint64_t, 2> halves{};
  static_assert(sizeof halves == sizeof key.caller);
  std::memcpy(halves.data(), key.caller.data(), sizeof halves);
  return mixed(mixed(mixed(seed ^ halves[0]) ^ halves[1]) ^ key.rule);
}

TokenQuota::TokenQuota(std::size_t most_entries)
    : hash_{random_seed()}, most_in_shard_(std::max<std::size_t>(most_entries / kShards, 1)) {
  for (Shard& shard : shards_) shard.entries = Entries(0, hash_);
}

// All that one caller has under one rule is in one shard, under one lock.
TokenQuota::Shard& TokenQuota::shard_of(const Key& key) noexcept {
  return shards_[hash_(key) >> 60];
}

TokenQuota::Answer TokenQuota::reserve(const chain::CallerId& caller, const LimitRule& rule,
                                       std::uint64_t tokens, Clock::time_point now) {
  const Key key{caller, rule.id};
  Answer answer;
  answer.reservation = {caller, &rule, tokens, {}};
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  sweep(shard, now);
  const auto found = shard.entries.find(key);
  Entry* entry = found == shard.entries.end() ? nullptr : &found->second;
  decide(answer, entry, rule, tokens, now);
  if (!answer.decision.admitted) return answer;
  take(answer, entry != nullptr ? *entry : insert(shard, key), now);
  return answer;
}

// The limit's window at that time, new where none lasts.
TokenQuota::Window TokenQuota::current(const Entry* entry, const LimitRule& rule, std::size_t limit,
                                       Clock::time_point now) noexcept {
  if (entry == nullptr || limit >= entry->windows.size()) return {now, 0};
  const Window& window = entry->windows[limit];
  return now - window.start >= rule.limits[limit].window ? Window{now, 0} : window;
}

void TokenQuota::decide(Answer& answer, const Entry* entry, const LimitRule& rule,
                        std::uint64_t tokens, Clock::time_point now) noexcept {
  for (std::size_t i = 0; i < rule.limits.size(); ++i) {
    const config::RateLimit& limit = rule.limits[i];
    const Window window = current(entry, rule, i, now);
    const std::uint64_t free = limit.count - std::min(window.used, limit.count);
    const Clock::duration left = window.start + limit.window - now;
    Opinion opinion{{tokens <= free, limit.count, free, left, {}}, tokens > limit.count};
    if (opinion.decision.admitted) {
      opinion.decision.remaining -= tokens;
    } else if (!opinion.never) {
      opinion.decision.retry_after = left;
    }
    if (i > 0 && !outweighs(opinion, {answer.decision, answer.never})) continue;
    answer.decision = opinion.decision;
    answer.never = opinion.never;
  }
}

void TokenQuota::take(Answer& answer, Entry& entry, Clock::time_point now) {
  Reservation& reservation = answer.reservation;
  const LimitRule& rule = *reservation.rule;
  reservation.window_starts.reserve(rule.limits.size());
  entry.windows.resize(rule.limits.size(), {now, 0});
  for (std::size_t i = 0; i < rule.limits.size(); ++i) {
    Window& window = entry.windows[i];
    window = current(&entry, rule, i, now);
    window.used += reservation.tokens;
    entry.ends = std::max(entry.ends, window.start + rule.limits[i].window);
    reservation.window_starts.push_back(window.start);
  }
}

void TokenQuota::settle(const Reservation& reservation, std::uint64_t used,
                        Clock::time_point now) noexcept {
  if (reservation.rule == nullptr) return;
  const LimitRule& rule = *reservation.rule;
  const Key key{reservation.caller, rule.id};
  const std::uint64_t surplus = used - std::min(used, reservation.tokens);
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end() && surplus == 0) return;
  Entry& entry = found == shard.entries.end() ? insert(shard, key) : found->second;
  if (entry.windows.empty()) entry.windows.resize(rule.limits.size(), {now, 0});
  const std::size_t limits = std::min(entry.windows.size(), reservation.window_starts.size());
  for (std::size_t i = 0; i < limits; ++i) {
    Window& window = entry.windows[i];
    const bool over = now - window.start >= rule.limits[i].window;
    if (!over && window.start == reservation.window_starts[i]) {
      window.used = saturating_add(window.used - std::min(window.used, reservation.tokens), used);
    } else if (surplus > 0) {
      if (over) window = {now, 0};
      window.used = saturating_add(window.used, surplus);
      entry.ends = std::max(entry.ends, window.start + rule.limits[i].window);
    }
  }
}

TokenQuota::Entry& TokenQuota::insert(Shard& shard, const Key& key) const {
  if (shard.order.size() >= most_in_shard_) {
    const auto ends = [&](std::size_t place) { return shard.order[place]->second.ends; };
    std::size_t earliest = shard.hand = shard.hand % shard.order.size();
    for (std::size_t i = 1; i < kSeenBeforeForgetting; ++i) {
      shard.hand = (shard.hand + 1) % shard.order.size();
      if (ends(shard.hand) < ends(earliest)) earliest = shard.hand;
    }
    forget(shard, earliest);
  }
  const auto added = shard.entries.try_emplace(key).first;
  shard.order.push_back(&*added);
  return added->second;
}

void TokenQuota::sweep(Shard& shard, Clock::time_point now) noexcept {
  for (std::size_t i = 0; i < kSweptAtOnce && !shard.order.empty(); ++i) {
    shard.hand = shard.hand % shard.order.size();
    if (shard.order[shard.hand]->second.ends <= now) {
      forget(shard, shard.hand);
    } else {
      ++shard.hand;
    }
  }
}

void TokenQuota::forget(Shard& shard, std::size_t place) noexcept {
  shard.entries.erase(Key(shard.order[place]->first));
  shard.order[place] = shard.order.back();
  shard.order.pop_back();
}

std::size_t TokenQuota::entries() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace aifd::services
