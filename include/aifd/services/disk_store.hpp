// Answers kept on disk, in LMDB or LevelDB.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

struct DiskStoreOptions {
  std::string root;  // a folder, made where it is missing: CACHE_ROOT_PATH_OR_URL
  std::size_t max_entry_bytes = std::numeric_limits<std::size_t>::max();  // memory_bytes() of one
  // What the answers may take on disk, at least 1 MiB. Then LMDB lets those go that were stored
  // first, at once, and LevelDB any, by and by. LMDB's file may get a quarter larger, and does not
  // shrink.
  std::uint64_t max_bytes = std::uint64_t{16} << 30;
  // What may wait to be written; what comes on top is dropped.
  std::size_t max_queued_bytes = std::size_t{64} << 20;
  // After that get() is a miss: asking the upstream is better than waiting for a slow disk.
  std::chrono::milliseconds budget{250};
  std::function<std::int64_t()> wall_clock = wall_clock_seconds;
  // Told, from the store's thread, what is wrong with it; empty: the log is.
  std::function<void(const std::string&)> warn;
};

// Each has a thread of its own, which alone touches the disk, and folders of its own in the root:
// lmdb or leveldb, with a lock beside it. Made at once, also where the disk is unusable: damaged
// stores are moved aside, to <folder>.damaged-<seconds since 1970>; others, such as one that
// another process uses, are tried again every minute. The log has a line of it. Destroyed, they
// write what is queued, as far as that goes in a second. A get() that waits for the first opening
// finds stat() to know of it.
std::unique_ptr<CacheStore> make_lmdb_store(DiskStoreOptions options);
std::unique_ptr<CacheStore> make_leveldb_store(DiskStoreOptions options);

}  // namespace aifd::services
