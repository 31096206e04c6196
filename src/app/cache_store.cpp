#include "aifd/app/cache_store.hpp"

#include "aifd/app/redis_tls.hpp"
#include "aifd/config/redis_url.hpp"
#include "aifd/services/disk_store.hpp"
#include "aifd/services/memory_store.hpp"
#include "aifd/services/redis_store.hpp"

namespace aifd::app {
namespace {

using config::CacheBackend;

constexpr std::chrono::seconds kPatience{60};

std::unique_ptr<services::CacheStore> make_memory_store(const config::Cache& cache) {
  return std::make_unique<services::MemoryStore>(services::MemoryStore::Limits{
      .max_bytes = cache.byte_limit(), .max_entry_bytes = cache.max_entry_bytes});
}

services::DiskStoreOptions disk_options(const config::Cache& cache) {
  services::DiskStoreOptions options;
  options.root = cache.root_path_or_url;
  options.max_bytes = cache.byte_limit();
  options.max_entry_bytes = cache.max_entry_bytes;
  return options;
}

std::unique_ptr<services::CacheStore> make_disk_store(const config::Cache& cache,
                                                      services::DiskStoreOptions options) {
  return cache.backend == CacheBackend::lmdb ? services::make_lmdb_store(std::move(options))
                                             : services::make_leveldb_store(std::move(options));
}

std::unique_ptr<services::CacheStore> make_redis_store(const config::Cache& cache) {
  const config::RedisUrl url = config::parse_redis_url(cache.root_path_or_url).value();
  return std::make_unique<services::RedisStore>(
      url, services::RedisStoreOptions{.max_entry_bytes = cache.max_entry_bytes}, redis_tls(url));
}

}  // namespace

std::unique_ptr<services::CacheStore> make_cache_store(const config::Settings& settings) {
  switch (settings.cache.backend) {
    case CacheBackend::lmdb:
    case CacheBackend::leveldb:
      return make_disk_store(settings.cache, disk_options(settings.cache));
    case CacheBackend::redis:
      return make_redis_store(settings.cache);
    case CacheBackend::memory:
      break;
  }
  return make_memory_store(settings.cache);
}

std::unique_ptr<services::CacheStore> make_patient_cache_store(
    const config::Settings& settings, std::function<void(const std::string&)> warn) {
  if (cache_folder(settings.cache).empty()) return nullptr;
  services::DiskStoreOptions options = disk_options(settings.cache);
  options.budget = kPatience;
  options.warn = std::move(warn);
  return make_disk_store(settings.cache, std::move(options));
}

std::filesystem::path cache_folder(const config::Cache& cache) {
  const std::filesystem::path root = cache.root_path_or_url;
  if (cache.backend == CacheBackend::lmdb) return root / "lmdb";
  if (cache.backend == CacheBackend::leveldb) return root / "leveldb";
  return {};
}

admin::CacheFacts cache_facts(const config::Cache& cache) {
  switch (cache.backend) {
    case CacheBackend::lmdb:
      return {"LMDB in " + cache.root_path_or_url, cache.byte_limit()};
    case CacheBackend::leveldb:
      return {"LevelDB in " + cache.root_path_or_url, cache.byte_limit()};
    case CacheBackend::redis: {
      const Result<config::RedisUrl> url = config::parse_redis_url(cache.root_path_or_url);
      return {url ? "Redis at " + url->to_string() : "Redis"};
    }
    case CacheBackend::memory:
      break;
  }
  return {"MEMORY", cache.byte_limit()};
}

}  // namespace aifd::app
