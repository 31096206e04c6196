#include "aifd/services/limit_rules.hpp"

#include <algorithm>

#include "aifd/protocol/target.hpp"

namespace aifd::services {

LimitRules::LimitRules(const config::RouteLimits& limits, const config::RateLimits& fallback,
                       const std::vector<std::string>& prefixes) {
  std::uint32_t next_id = 0;
  for (const auto& [path, levels] : limits) {
    Route route{protocol::comparable_path(path), {}};
    for (const config::LevelLimits& level : levels) {
      route.entries.push_back({level.level, {next_id++, path, level.limits}});
    }
    by_route_.push_back(std::move(route));
  }
  std::ranges::stable_sort(
      by_route_, [](const Route& a, const Route& b) { return a.path.size() > b.path.size(); });
  if (fallback.empty()) return;
  for (const std::string& prefix : prefixes) by_prefix_.push_back({next_id++, prefix, fallback});
}

const LimitRule* LimitRules::find(std::string_view path, std::string_view prefix, int level) const {
  if (protocol::is_comparable(path)) return find_comparable(path, prefix, level);
  return find_comparable(protocol::comparable_path(path), prefix, level);
}

const LimitRule* LimitRules::find_comparable(std::string_view path, std::string_view prefix,
                                             int level) const noexcept {
  const auto in_force = [](const LimitRule& rule) { return rule.limits.empty() ? nullptr : &rule; };
  for (const Route& route : by_route_) {
    if (!protocol::covers(route.path, path)) continue;
    const LimitRule* for_every_level = nullptr;
    for (const Entry& entry : route.entries) {
      if (entry.level == level) return in_force(entry.rule);
      if (!entry.level) for_every_level = &entry.rule;
    }
    if (for_every_level != nullptr) return in_force(*for_every_level);
    break;
  }
  for (const LimitRule& rule : by_prefix_) {
    if (rule.route == prefix) return &rule;
  }
  return nullptr;
}

}  // namespace aifd::services
