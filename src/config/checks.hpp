// What can only be seen when all variables are known.
#pragma once

#include <set>
#include <string_view>

#include "gather.hpp"

namespace aifd::config {

// `failed` names the variables that could not be read: a check that needs one of them is left out.
void check_together(const Settings& settings, const std::set<std::string_view>& failed,
                    Report& report);

}  // namespace aifd::config
