#include "aifd/services/cache_store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <exception>

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

CacheEntryPtr get_and_wait(CacheStore& store, const CacheKey& key) {
  asio::io_context loop(1);
  CacheEntryPtr found;
  std::exception_ptr failure;
  asio::co_spawn(loop, store.get(key), [&](const std::exception_ptr& thrown, CacheEntryPtr entry) {
    failure = thrown;
    found = std::move(entry);
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return found;
}

std::int64_t wall_clock_seconds() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace aifd::services
