// Answers kept in this process's memory.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

// Bounded over all: what is in the store never takes more than max_bytes, with the store's own
// book-keeping; what was let go lives on while somebody is answered from it. The least recently
// used goes first. A hit copies a pointer.
class MemoryStore final : public CacheStore {
 public:
  struct Limits {
    std::size_t max_bytes = std::size_t{256} << 20;
    std::size_t max_entry_bytes = std::numeric_limits<std::size_t>::max();  // memory_bytes() of one
  };
  using Now = std::function<std::int64_t()>;  // as wall_clock_seconds()

  // What an entry takes beyond memory_bytes(): its place in a list and in a table.
  static constexpr std::size_t kOverheadBytes = 192;

  explicit MemoryStore(Limits limits, Now now = wall_clock_seconds);
  ~MemoryStore() override;

  std::optional<CacheEntryPtr> try_get(const CacheKey& key) override;  // never nullopt
  Task<CacheEntryPtr> get(const CacheKey& key) override;               // never waits
  void put(const CacheKey& key, CacheEntryPtr entry) override;
  void clear() override;
  CacheStat stat() const override;

 private:
  static constexpr std::size_t kShards = 16;
  struct Item;
  struct Hash;
  struct Shard;

  Shard& shard_of(const CacheKey& key) noexcept;
  bool reserve(std::size_t bytes);
  bool evict_one();

  const Limits limits_;
  const Now now_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::atomic<std::size_t> used_{0};    // at most max_bytes, with what is about to be put in
  std::atomic<std::uint64_t> uses_{1};  // counts uses, to tell which entry's is the longest ago
  std::atomic<std::uint64_t> evicted_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace aifd::services
