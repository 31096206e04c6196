// The store of answers that the settings ask for.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "aifd/admin/cache_report.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::app {

// By CACHE_BACKEND, whether the cache is on or not.
std::unique_ptr<services::CacheStore> make_cache_store(const config::Settings& settings);

// The same for a command, for which waiting is better than a miss; what is wrong is told to `warn`,
// from any thread, instead of the log. Null for one in memory.
std::unique_ptr<services::CacheStore> make_patient_cache_store(
    const config::Settings& settings, std::function<void(const std::string&)> warn);

// The folder of a store on disk, which need not be there; empty: it is not on disk.
std::filesystem::path cache_folder(const config::Cache& cache);

// As its operator is told of it, no password shown.
admin::CacheFacts cache_facts(const config::Cache& cache);

}  // namespace aifd::app
