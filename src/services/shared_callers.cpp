#include "shared_callers.hpp"

#include <bit>

#include "aifd/base/log.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kMostShards = 64;
// A shard is full when its own share is, so none may be so small that chance fills it early.
constexpr std::size_t kFewestEntriesPerShard = 1024;
constexpr std::size_t kMostEntries = std::size_t{1} << 31;
constexpr std::chrono::minutes kBetweenWarnings{1};

}  // namespace

SharedCallers::SharedCallers(std::string_view counted, std::size_t most_entries)
    : counted_(counted), most_entries_(std::clamp(most_entries, std::size_t{1}, kMostEntries)) {
  const std::size_t shards = std::bit_floor(
      std::clamp(most_entries_ / kFewestEntriesPerShard, std::size_t{1}, kMostShards));
  for (std::size_t i = 0; i < shards; ++i) shards_.emplace_back(most_entries_ / shards, hash_key_);
}

std::size_t SharedCallers::entries() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.table.size();
  }
  return sum;
}

void SharedCallers::warn_of_eviction(Clock::time_point now) {
  const Clock::rep time = now.time_since_epoch().count();
  Clock::rep due = next_warning_.load(std::memory_order_relaxed);
  const Clock::duration pause = kBetweenWarnings;
  if (time < due || !next_warning_.compare_exchange_strong(due, time + pause.count())) return;
  log::warn(
      "too many callers to count the {} of them all: those whose limits end soonest are forgotten "
      "(at most {} are kept)",
      counted_, most_entries_);
}

}  // namespace aifd::services
