#include "aifd/services/memory_store.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sip_hash.hpp"

namespace aifd::services {
namespace {

constexpr std::uint64_t kNothing = std::numeric_limits<std::uint64_t>::max();

}  // namespace

struct MemoryStore::Item {
  CacheKey key;
  CacheEntryPtr entry;
  std::size_t bytes;
  std::uint64_t used;  // when, by uses_
};

// Of half the digest: what it cannot tell apart, the table does.
struct MemoryStore::Hash {
  SipKey secret = random_sip_key();

  std::size_t operator()(const CacheKey& key) const noexcept {
    chain::CallerId half;
    std::memcpy(half.data(), key.data(), half.size());
    return sip_hash(secret, half, 0);
  }
};

struct MemoryStore::Shard {
  std::mutex mutex;
  std::list<Item> items;  // the least recently used last
  std::unordered_map<CacheKey, std::list<Item>::iterator, Hash> table;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t stored = 0;
  std::atomic<std::uint64_t> oldest{kNothing};  // items.back().used, read without the mutex

  void note_oldest() noexcept { oldest = items.empty() ? kNothing : items.back().used; }

  // Takes one out, to be destroyed once the mutex is free.
  std::list<Item> take(std::list<Item>::iterator item) {
    std::list<Item> taken;
    table.erase(item->key);
    taken.splice(taken.begin(), items, item);
    note_oldest();
    return taken;
  }
};

MemoryStore::MemoryStore(Limits limits, Now now) : limits_(limits), now_(std::move(now)) {
  static_assert(kOverheadBytes >= sizeof(Item) + sizeof(CacheKey) + 10 * sizeof(void*));
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

MemoryStore::~MemoryStore() = default;

MemoryStore::Shard& MemoryStore::shard_of(const CacheKey& key) noexcept {
  return *shards_[key.back() % kShards];
}

std::optional<CacheEntryPtr> MemoryStore::try_get(const CacheKey& key) {
  const std::int64_t now = now_();
  std::list<Item> expired;
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.table.find(key);
  if (found == shard.table.end()) return nullptr;
  const auto item = found->second;
  if (item->entry->expired(now)) {
    used_ -= item->bytes;
    expired = shard.take(item);
    return nullptr;
  }
  ++shard.hits;
  item->used = uses_.fetch_add(1, std::memory_order_relaxed);
  shard.items.splice(shard.items.begin(), shard.items, item);
  shard.note_oldest();
  return item->entry;
}

Task<CacheEntryPtr> MemoryStore::get(const CacheKey& key) {
  CacheEntryPtr entry = *try_get(key);
  if (!entry) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    ++shard.misses;
  }
  co_return entry;
}

void MemoryStore::put(const CacheKey& key, CacheEntryPtr entry) {
  const std::size_t own_bytes = memory_bytes(*entry);
  const std::size_t bytes = own_bytes + kOverheadBytes;
  if (own_bytes > limits_.max_entry_bytes || !reserve(bytes)) {
    ++dropped_;
    return;
  }
  std::list<Item> made;
  made.push_back({key, std::move(entry), bytes, uses_.fetch_add(1, std::memory_order_relaxed)});
  std::list<Item> replaced;
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  if (const auto found = shard.table.find(key); found != shard.table.end()) {
    used_ -= found->second->bytes;
    replaced = shard.take(found->second);
  }
  shard.table.emplace(key, made.begin());
  shard.items.splice(shard.items.begin(), made);
  shard.note_oldest();
  ++shard.stored;
}

// Makes room, then takes it: at no moment is there more than the limit.
bool MemoryStore::reserve(std::size_t bytes) {
  if (bytes > limits_.max_bytes) return false;
  std::size_t used = used_.load();
  for (;;) {
    if (used <= limits_.max_bytes - bytes) {
      if (used_.compare_exchange_weak(used, used + bytes)) return true;
    } else {
      if (!evict_one()) return false;
      used = used_.load();
    }
  }
}

// The least recently used of all, but for what other threads do meanwhile. False: there is nothing.
bool MemoryStore::evict_one() {
  const auto older = [](const auto& a, const auto& b) { return a->oldest < b->oldest; };
  Shard& shard = **std::ranges::min_element(shards_, older);
  if (shard.oldest == kNothing) return false;
  std::list<Item> taken;
  const std::scoped_lock lock(shard.mutex);
  if (shard.items.empty()) return true;  // another thread was faster
  used_ -= shard.items.back().bytes;
  taken = shard.take(std::prev(shard.items.end()));
  ++evicted_;
  return true;
}

void MemoryStore::clear() {
  for (const auto& shard : shards_) {
    std::list<Item> taken;
    const std::scoped_lock lock(shard->mutex);
    for (const Item& item : shard->items) used_ -= item.bytes;
    shard->table.clear();
    taken.swap(shard->items);
    shard->note_oldest();
  }
}

CacheStat MemoryStore::stat() const {
  CacheStat stat;
  stat.entries = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock(shard->mutex);
    *stat.entries += shard->items.size();
    stat.hits += shard->hits;
    stat.misses += shard->misses;
    stat.stored += shard->stored;
  }
  stat.bytes = used_;
  stat.evicted = evicted_;
  stat.dropped = dropped_;
  return stat;
}

}  // namespace aifd::services
