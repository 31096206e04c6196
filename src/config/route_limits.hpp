// Limits by route and level, as REQ_RATE_LIMIT, TOKEN_RATE_LIMIT and TOKEN_QUOTA have them.
#pragma once

#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"
#include "variables.hpp"

namespace aifd::config {

// {"/route": "limit"}, {"/route": [{"level": 0, "limit": "..."}]}, or the original's YAML shape
// [{"route": "/route", "value": either of the two}].
void read_route_limits(std::string_view text, RouteLimits& target, Problems& problems);

std::string show_route_limits(const RouteLimits& limits);  // "" when there are none

// "100/2minutes", or "level 0: 100/2minutes, level 1: inf", for people.
std::string describe_limits(const std::vector<LevelLimits>& limits);

}  // namespace aifd::config
