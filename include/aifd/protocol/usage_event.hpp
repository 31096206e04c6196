#pragma once
#include <optional>
#include <string>
#include <string_view>
namespace aifd::protocol {
inline bool has_usage_event(std::string_view) { return false; }
inline std::optional<std::string> without_usage_event(std::string_view) { return std::nullopt; }
}
