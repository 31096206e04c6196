// The words for values that are one of a few.
#pragma once

#include <optional>
#include <string_view>

#include "aifd/config/settings.hpp"

namespace aifd::config {

std::string_view to_string(RouteType type);
std::string_view to_string(RateLimitStrategy strategy);
std::string_view to_string(IterChunkType type);
std::string_view to_string(CacheBackend backend);
std::string_view to_string(CacheReplay replay);

// In any case; in a strategy and a chunk type an underscore is as good as a hyphen.
std::optional<RateLimitStrategy> strategy_from(std::string_view text);
std::optional<IterChunkType> chunk_type_from(std::string_view text);
std::optional<CacheBackend> cache_backend_from(std::string_view text);
std::optional<CacheReplay> cache_replay_from(std::string_view text);

}  // namespace aifd::config
