#include "aifd/services/disk_store.hpp"

#include <utility>

#include "leveldb_records.hpp"
#include "lmdb_records.hpp"
#include "threaded_store.hpp"

namespace aifd::services {

std::unique_ptr<CacheStore> make_lmdb_store(DiskStoreOptions options) {
  auto records = std::make_unique<LmdbRecords>(options.root, options.max_bytes);
  return std::make_unique<ThreadedStore>(std::move(records), std::move(options));
}

std::unique_ptr<CacheStore> make_leveldb_store(DiskStoreOptions options) {
  auto records = std::make_unique<LevelDbRecords>(options.root, options.max_bytes);
  return std::make_unique<ThreadedStore>(std::move(records), std::move(options));
}

}  // namespace aifd::services
