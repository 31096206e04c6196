// Which limits hold for a request, by path and level.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::services {

// The limits that one caller's requests of one route are counted under together.
struct LimitRule {
  std::uint32_t id = 0;  // unique among the rules of one LimitRules
  std::string route;     // "/v1/chat/completions": in the one spelling of comparable_path
  config::RateLimits limits;
};

// Immutable after construction; shared by all workers without a lock.
class LimitRules {
 public:
  // `fallback` holds where no route of `limits` has a say, counted by the route's prefix, which is
  // one of `prefixes`.
  LimitRules(const config::RouteLimits& limits, const config::RateLimits& fallback,
             const std::vector<std::string>& prefixes);

  // The rule of the longest route that covers the path on whole segments and has an entry for the
  // level, or one for every level; else the fallback's. Null: no limit holds ("inf" included).
  // However the path is spelt (see protocol::comparable_path), and also where only a lenient server
  // would take it for the route's: "/v1%2Fchat", "/V1/Chat", "/v1/chat;x". `prefix`: of the route
  // that serves it.
  const LimitRule* find(std::string_view path, std::string_view prefix, int level) const;

  // Whether there is no limit at all.
  bool empty() const noexcept { return by_route_.empty() && by_prefix_.empty(); }

 private:
  struct Entry {
    std::optional<int> level;  // nullopt: every level without an entry of its own
    LimitRule rule;
  };
  struct Route {
    std::string path;
    std::string folded;  // as a lenient server reads it; but what is escaped is meant so
    std::vector<Entry> entries;
  };

  const Route* route_of(std::string_view path) const;

  const LimitRule* find_comparable(std::string_view path, std::string_view prefix, int level) const;

  std::vector<Route> by_route_;  // longest first
  std::vector<LimitRule> by_prefix_;
};

}  // namespace aifd::services
