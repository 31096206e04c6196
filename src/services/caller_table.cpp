#include "caller_table.hpp"

#include <algorithm>

namespace aifd::services {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kFewestBuckets = 16;
constexpr std::uint32_t kSweptAtOnce = 3;  // more than the one entry that a request can add
constexpr int kSampled = 8;

}  // namespace

CallerTable::CallerTable(std::size_t most, const SipKey& key)
    : most_(most),
      key_(key),
      heads_(kFewestBuckets, kNone),
      random_(static_cast<std::minstd_rand::result_type>(key[0])) {}

CallerEntry* CallerTable::find(const chain::CallerId& caller, std::uint32_t rule,
                               std::uint64_t hash) noexcept {
  for (std::uint32_t i = heads_[hash & (heads_.size() - 1)]; i != kNone; i = entries_[i].next) {
    CallerEntry& entry = entries_[i];
    if (entry.rule == rule && entry.caller == caller) return &entry;
  }
  return nullptr;
}

CallerEntry& CallerTable::add(const chain::CallerId& caller, std::uint32_t rule, std::uint64_t hash,
                              bool& evicted) {
  evicted = entries_.size() >= most_;
  if (evicted) evict_one();
  if (entries_.size() == heads_.size()) rehash(2 * heads_.size());
  CallerEntry& entry = entries_.emplace_back();
  entry.caller = caller;
  entry.rule = rule;
  std::uint32_t& head = heads_[hash & (heads_.size() - 1)];
  entry.next = head;
  head = static_cast<std::uint32_t>(entries_.size() - 1);
  return entry;
}

void CallerTable::sweep(Clock::time_point now) {
  const std::size_t most = std::min<std::size_t>(kSweptAtOnce, entries_.size());
  for (std::size_t i = 0; i < most; ++i) {
    // Downwards: what fills an erased one's place comes from the end, which had its turn.
    if (swept_ == 0 || swept_ > entries_.size()) {
      swept_ = static_cast<std::uint32_t>(entries_.size());
    }
    --swept_;
    if (entries_[swept_].expires <= now) erase(swept_);
  }
  // Among a million entries the next ones are in no cache; by the next call they are.
  for (std::uint32_t i = 1; i <= kSweptAtOnce && i <= swept_; ++i) {
    __builtin_prefetch(&entries_[swept_ - i].expires);
  }
}

// What holds the entry's index: its bucket, or the entry before it in the chain.
std::uint32_t& CallerTable::link_to(std::uint32_t index) noexcept {
  const CallerEntry& entry = entries_[index];
  std::uint32_t* link = &heads_[sip_hash(key_, entry.caller, entry.rule) & (heads_.size() - 1)];
  while (*link != index) link = &entries_[*link].next;
  return *link;
}

void CallerTable::erase(std::uint32_t index) {
  link_to(index) = entries_[index].next;
  const auto last = static_cast<std::uint32_t>(entries_.size() - 1);
  if (index != last) {
    link_to(last) = index;
    entries_[index] = std::move(entries_[last]);
  }
  entries_.pop_back();
}

void CallerTable::evict_one() {
  const auto any = [this] { return static_cast<std::uint32_t>(random_() % entries_.size()); };
  std::uint32_t soonest = any();
  for (int i = 1; i < kSampled; ++i) {
    const std::uint32_t other = any();
    if (entries_[other].expires < entries_[soonest].expires) soonest = other;
  }
  erase(soonest);
}

void CallerTable::rehash(std::size_t buckets) {
  heads_.assign(buckets, kNone);
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    CallerEntry& entry = entries_[i];
    std::uint32_t& head = heads_[sip_hash(key_, entry.caller, entry.rule) & (buckets - 1)];
    entry.next = head;
    head = i;
  }
}

}  // namespace aifd::services
