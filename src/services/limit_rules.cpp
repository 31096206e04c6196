#include "aifd/services/limit_rules.hpp"

#include <algorithm>

#include "aifd/protocol/target.hpp"

namespace aifd::services {

LimitRules::LimitRules(const config::RouteLimits& limits, const config::RateLimits& fallback,
                       const std::vector<std::string>& prefixes) {
  std::uint32_t next_id = 0;
  for (const auto& [path, levels] : limits) {
    Route route{protocol::comparable_path(path), {}, {}};
    const bool is_escaped = route.path.find('%') != std::string::npos;
    route.folded = is_escaped ? route.path : protocol::folded_path(route.path);
    for (const config::LevelLimits& level : levels) {
      route.entries.push_back({level.level, {next_id++, route.path, level.limits}});
    }
    by_route_.push_back(std::move(route));
  }
  std::ranges::stable_sort(
      by_route_, [](const Route& a, const Route& b) { return a.path.size() > b.path.size(); });
  if (fallback.empty()) return;
  for (const std::string& prefix : prefixes) by_prefix_.push_back({next_id++, prefix, fallback});
}

const LimitRule* LimitRules::find(std::string_view path, std::string_view prefix, int level) const {
  if (path.find('%') == std::string_view::npos) return find_comparable(path, prefix, level);
  return find_comparable(protocol::comparable_path(path), prefix, level);
}

// The longest that covers the path, in either reading.
const LimitRules::Route* LimitRules::route_of(std::string_view path) const {
  if (by_route_.empty()) return nullptr;
  const auto plain = std::ranges::find_if(
      by_route_, [&](const Route& route) { return protocol::covers(route.path, path); });
  const std::string folded = protocol::folded_path(path);
  const auto found = std::find_if(by_route_.begin(), plain, [&](const Route& route) {
    return protocol::covers(route.folded, folded);
  });
  const bool is_longer =
      plain == by_route_.end() || (found != plain && found->path.size() > plain->path.size());
  const auto best = is_longer ? found : plain;
  return best == by_route_.end() ? nullptr : &*best;
}

const LimitRule* LimitRules::find_comparable(std::string_view path, std::string_view prefix,
                                             int level) const {
  const auto in_force = [](const LimitRule& rule) { return rule.limits.empty() ? nullptr : &rule; };
  if (const Route* route = route_of(path)) {
    const LimitRule* for_every_level = nullptr;
    for (const Entry& entry : route->entries) {
      if (entry.level == level) return in_force(entry.rule);
      if (!entry.level) for_every_level = &entry.rule;
    }
    if (for_every_level != nullptr) return in_force(*for_every_level);
  }
  for (const LimitRule& rule : by_prefix_) {
    if (rule.route == prefix) return &rule;
  }
  return nullptr;
}

}  // namespace aifd::services
