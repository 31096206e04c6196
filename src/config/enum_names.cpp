#include "enum_names.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "text.hpp"

namespace aifd::config {
namespace {

template <class Value, std::size_t count>
using Names = std::array<std::pair<Value, std::string_view>, count>;

constexpr Names<RouteType, 2> kRouteTypes{{
    {RouteType::openai, "openai"},
    {RouteType::general, "general"},
}};
constexpr Names<RateLimitStrategy, 5> kStrategies{{
    {RateLimitStrategy::fixed_window, "fixed-window"},
    {RateLimitStrategy::moving_window, "moving-window"},
    {RateLimitStrategy::fixed_window_elastic_expiry, "fixed-window-elastic-expiry"},
    {RateLimitStrategy::sliding_window_counter, "sliding-window-counter"},
    {RateLimitStrategy::gcra, "gcra"},
}};
constexpr Names<IterChunkType, 2> kChunkTypes{{
    {IterChunkType::efficiency, "efficiency"},
    {IterChunkType::one_by_one, "one-by-one"},
}};
constexpr Names<CacheBackend, 4> kCacheBackends{{
    {CacheBackend::memory, "MEMORY"},
    {CacheBackend::lmdb, "LMDB"},
    {CacheBackend::leveldb, "LevelDB"},
    {CacheBackend::redis, "REDIS"},
}};
constexpr Names<CacheReplay, 3> kCacheReplays{{
    {CacheReplay::instant, "instant"},
    {CacheReplay::original, "original"},
    {CacheReplay::paced, "paced"},
}};

template <class Value, std::size_t count>
std::string_view name_of(const Names<Value, count>& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "?";
}

template <class Value, std::size_t count>
std::optional<Value> value_of(const Names<Value, count>& names, std::string_view text) {
  std::string word = to_lower(text);
  std::replace(word.begin(), word.end(), '_', '-');
  for (const auto& [value, name] : names) {
    if (to_lower(name) == word) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(RouteType type) {
  return name_of(kRouteTypes, type);
}
std::string_view to_string(RateLimitStrategy strategy) {
  return name_of(kStrategies, strategy);
}
std::string_view to_string(IterChunkType type) {
  return name_of(kChunkTypes, type);
}
std::string_view to_string(CacheBackend backend) {
  return name_of(kCacheBackends, backend);
}
std::string_view to_string(CacheReplay replay) {
  return name_of(kCacheReplays, replay);
}

std::optional<RateLimitStrategy> strategy_from(std::string_view text) {
  return value_of(kStrategies, text);
}

std::optional<IterChunkType> chunk_type_from(std::string_view text) {
  return value_of(kChunkTypes, text);
}

std::optional<CacheBackend> cache_backend_from(std::string_view text) {
  return value_of(kCacheBackends, text);
}

std::optional<CacheReplay> cache_replay_from(std::string_view text) {
  return value_of(kCacheReplays, text);
}

}  // namespace aifd::config
