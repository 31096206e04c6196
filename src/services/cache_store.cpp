#include "aifd/services/cache_store.hpp"

#include <chrono>

#include "aifd/services/wait_for.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kBlockBytes = 2 * sizeof(void*);  // the heap's own, for each block

std::size_t heap_bytes(const std::string& text) noexcept {
  const std::size_t inside = std::string().capacity();
  return text.capacity() > inside ? text.capacity() + 1 + kBlockBytes : 0;
}

template <class T>
std::size_t heap_bytes(const std::vector<T>& items) noexcept {
  return items.capacity() > 0 ? items.capacity() * sizeof(T) + kBlockBytes : 0;
}

}  // namespace

std::size_t memory_bytes(const CacheEntry& entry) noexcept {
  constexpr std::size_t kSharing = 2 * sizeof(void*);  // the shared pointer's counts
  std::size_t total = sizeof(CacheEntry) + kSharing + kBlockBytes;
  total += heap_bytes(entry.body) + heap_bytes(entry.fields) + heap_bytes(entry.rhythm);
  for (const CacheField& field : entry.fields) {
    total += heap_bytes(field.name) + heap_bytes(field.value);
  }
  return total;
}

Task<CacheClearing> CacheStore::clear_and_tell() {
  const CacheStat before = stat();
  if (before.trouble.empty()) clear();
  co_return CacheClearing{before.entries, before.trouble};
}

Task<CacheStat> CacheStore::measure() {
  co_return stat();
}

CacheEntryPtr get_and_wait(CacheStore& store, const CacheKey& key) {
  return wait_for(store.get(key));
}

std::int64_t wall_clock_seconds() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace aifd::services
