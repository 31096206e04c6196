#include "route_limits.hpp"

#include <algorithm>

#include "scalars.hpp"
#include "text.hpp"

namespace aifd::config {
namespace {

Result<std::optional<int>> level_of(const Json& entry) {
  constexpr int kHighestLevel = 1'000'000;
  const auto found = entry.find("level");
  if (found == entry.end()) return std::optional<int>();
  const std::string text = found->is_string() ? found->get<std::string>() : found->dump();
  const auto level = to_integer<int>(trim(text));
  if (!level || *level < 0 || *level > kHighestLevel) {
    return wrong("has a level that is not a whole number from 0 to 1000000");
  }
  return level;
}

Result<RateLimits> limits_of(const Json& value) {
  if (value.is_null()) return RateLimits{};
  if (!value.is_string()) return wrong("has " + json_type(value) + " where a limit belongs");
  return parse_rate_limits(value.get_ref<const std::string&>());
}

// One {"level": 0, "limit": "60/minute"}.
Result<LevelLimits> parse_entry(const Json& entry) {
  if (!entry.is_object()) return wrong("has " + json_type(entry) + " in its list of levels");
  for (const auto& [name, value] : entry.items()) {
    if (name != "level" && name != "limit") return wrong("has an unknown name " + in_quotes(name));
  }
  if (!entry.contains("limit")) return wrong("has an entry without \"limit\"");
  const Result<std::optional<int>> level = level_of(entry);
  if (!level) return level.error();
  const Result<RateLimits> limits = limits_of(entry["limit"]);
  if (!limits) return limits.error();
  return LevelLimits{*level, *limits};
}

Result<std::vector<LevelLimits>> parse_levels(const Json& value) {
  if (!value.is_array()) {
    const Result<RateLimits> limits = limits_of(value);
    if (!limits) return limits.error();
    return std::vector<LevelLimits>{{std::nullopt, *limits}};
  }
  std::vector<LevelLimits> levels;
  for (const Json& item : value) {
    const Result<LevelLimits> entry = parse_entry(item);
    if (!entry) return entry.error();
    const auto same = std::find_if(levels.begin(), levels.end(), [&](const LevelLimits& other) {
      return other.level == entry->level;
    });
    if (same != levels.end()) return wrong("has limits for one level twice");
    levels.push_back(*entry);
  }
  return levels;
}

void read_one(const std::string& route, const Json& value, RouteLimits& limits,
              Problems& problems) {
  const Result<std::string> path = parse_path(trim(route));
  if (!path) return problems.push_back("has a route that is wrong: " + path.error().detail);
  const Result<std::vector<LevelLimits>> levels = parse_levels(value);
  if (!levels) return problems.push_back(in_quotes(*path) + " " + levels.error().detail);
  if (!limits.emplace(*path, *levels).second) {
    problems.push_back("has the route " + in_quotes(*path) + " twice");
  }
}

void read_list(const Json& list, RouteLimits& limits, Problems& problems) {
  for (const Json& item : list) {
    const bool complete = item.is_object() && item.size() == 2 && item.contains("route") &&
                          item.contains("value") && item["route"].is_string();
    if (!complete) {
      problems.push_back(R"(has an entry in its list that is not {"route":"/...","value":...})");
    } else {
      read_one(item["route"].get_ref<const std::string&>(), item["value"], limits, problems);
    }
  }
}

Json json_of(const std::vector<LevelLimits>& levels) {
  if (levels.size() == 1 && !levels.front().level) return to_string(levels.front().limits);
  Json list = Json::array();
  for (const LevelLimits& entry : levels) {
    Json item{{"limit", to_string(entry.limits)}};
    if (entry.level) item["level"] = *entry.level;
    list.push_back(std::move(item));
  }
  return list;
}

}  // namespace

void read_route_limits(std::string_view text, RouteLimits& target, Problems& problems) {
  const Result<Json> json = parse_json(text);
  if (!json) return problems.push_back(json.error().detail);
  RouteLimits limits;
  if (json->is_array()) {
    read_list(*json, limits, problems);
  } else if (json->is_object()) {
    for (const auto& [route, value] : json->items()) read_one(route, value, limits, problems);
  } else {
    problems.push_back("is " + json_type(*json) + ", not an object");
  }
  if (problems.empty()) target = std::move(limits);
}

std::string show_route_limits(const RouteLimits& limits) {
  Json shown = Json::object();
  for (const auto& [route, levels] : limits) shown[route] = json_of(levels);
  return shown.empty() ? "" : show_json(shown);
}

std::string describe_limits(const std::vector<LevelLimits>& limits) {
  std::vector<std::string> parts;
  for (const LevelLimits& entry : limits) {
    const std::string who = entry.level ? "level " + std::to_string(*entry.level) + ": " : "";
    parts.push_back(who + to_string(entry.limits));
  }
  return join(parts, ", ");
}

}  // namespace aifd::config
