// The cache of answers: what is kept of one, and where answers are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aifd/chain/task.hpp"
#include "aifd/services/cache_key.hpp"

namespace aifd::services {

struct CacheField {
  std::string name;
  std::string value;

  bool operator==(const CacheField&) const = default;
};

// Bytes of the body from `offset` on came `at_ms` after the stream's first.
struct StreamBeat {
  std::uint64_t offset = 0;
  std::uint32_t at_ms = 0;

  bool operator==(const StreamBeat&) const = default;
};

// One whole answer. Never changed once it is in a store: shared by all who are answered from it.
struct CacheEntry {
  int status = 200;
  std::vector<CacheField> fields;  // of the head, to replay in this order
  std::string body;
  bool event_stream = false;       // the body is a recorded stream of events, whole
  std::int64_t stored_at = 0;      // wall clock, seconds since 1970
  std::int64_t expires_at = 0;     // from then on it counts as gone; 0: never
  std::vector<StreamBeat> rhythm;  // of a stream, offsets ascending; empty: not recorded

  bool expired(std::int64_t now) const noexcept { return expires_at != 0 && expires_at <= now; }
  bool operator==(const CacheEntry&) const = default;
};

using CacheEntryPtr = std::shared_ptr<const CacheEntry>;

// What an entry takes of memory, with what the heap adds to it.
std::size_t memory_bytes(const CacheEntry& entry) noexcept;

// The wall clock, in seconds since 1970.
std::int64_t wall_clock_seconds() noexcept;

struct CacheStat {
  std::optional<std::uint64_t> entries;  // null: the store does not know
  std::optional<std::uint64_t> bytes;    // of memory, or on disk; null: the same
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t away = 0;  // misses as the store could not be asked, or was too slow
  std::uint64_t stored = 0;
  std::uint64_t dropped = 0;  // put, and not stored: too large, no room, a full queue
  std::uint64_t evicted = 0;  // to make room; expired ones do not count
  std::string trouble;        // why it cannot be used at the moment, for a person; empty: it can
};

// What came of clearing a store.
struct CacheClearing {
  std::optional<std::uint64_t> entries;  // that went; null: not known
  std::string trouble;                   // why it was in vain, for a person; empty: it was not
};

// Shared by all workers, thread-safe. Nothing that happens to a store is an error of its caller:
// what cannot be read is a miss, what cannot be written is dropped.
class CacheStore {
 public:
  CacheStore() = default;
  CacheStore(const CacheStore&) = delete;
  CacheStore& operator=(const CacheStore&) = delete;
  virtual ~CacheStore() = default;

  // The answer where the store has one at hand, without waiting; a null pointer in it is a miss.
  // nullopt: only get() can tell. Does not count misses: who asks get() then has them counted once.
  virtual std::optional<CacheEntryPtr> try_get(const CacheKey&) { return std::nullopt; }

  // Null: a miss. Awaited at once, from a coroutine on an event loop; resumes on that loop, within
  // the store's deadline. The loop may end meanwhile, also before or after the store.
  virtual Task<CacheEntryPtr> get(const CacheKey& key) = 0;

  // Replaces what is there. Never waits. `entry` is not null.
  virtual void put(const CacheKey& key, CacheEntryPtr entry) = 0;

  // Forgets everything put before; may take effect after the call, and does nothing to a store on
  // disk that cannot be used at the moment.
  virtual void clear() = 0;

  // clear() for who wants to know what came of it; awaited as get() is. Redis has cleared all when
  // this resumes, however long that takes; a store on disk may still be at it.
  virtual Task<CacheClearing> clear_and_tell();

  virtual CacheStat stat() const = 0;

  // stat() with what takes a while to find out, up to some seconds; awaited as get() is.
  virtual Task<CacheStat> measure();

  // Whether a server's name is being looked up: then this, or a loop that asked, may take as long
  // to end as the system's resolver.
  virtual bool looking_up() const noexcept { return false; }
};

// get() for who has no event loop: blocks, up to the store's deadline.
CacheEntryPtr get_and_wait(CacheStore& store, const CacheKey& key);

}  // namespace aifd::services
