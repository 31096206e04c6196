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
constexpr std::chrono::seconds kServerPatience{5};  // that is silent

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

std::unique_ptr<services::CacheStore> make_redis_store(const config::Cache& cache,
                                                       services::RedisStoreOptions options) {
  const config::RedisUrl url = config::parse_redis_url(cache.root_path_or_url).value();
  options.max_entry_bytes = cache.max_entry_bytes;
  return std::make_unique<services::RedisStore>(url, std::move(options), redis_tls(url));
}

std::unique_ptr<services::CacheStore> make_patient_redis_store(
    const config::Cache& cache, std::function<void(const std::string&)> warn) {
  services::RedisStoreOptions options;
  options.budget = kServerPatience;
  options.patience = kPatience;
  options.write_budget = kPatience;
  options.connect_budget = kServerPatience;
  options.count_budget = kPatience;
  options.warn = std::move(warn);
  return make_redis_store(cache, std::move(options));
}

}  // namespace

std::unique_ptr<services::CacheStore> make_cache_store(const config::Settings& settings) {
  switch (settings.cache.backend) {
    case CacheBackend::lmdb:
    case CacheBackend::leveldb:
      return make_disk_store(settings.cache, disk_options(settings.cache));
    case CacheBackend::redis:
      return make_redis_store(settings.cache, {});
    case CacheBackend::memory:
      break;
  }
  return make_memory_store(settings.cache);
}

std::unique_ptr<services::CacheStore> make_patient_cache_store(
    const config::Settings& settings, std::function<void(const std::string&)> warn) {
  if (settings.cache.backend == CacheBackend::memory) return nullptr;
  if (settings.cache.backend == CacheBackend::redis) {
    return make_patient_redis_store(settings.cache, std::move(warn));
  }
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
