// The settings as text: those in effect, and a file to start from.
#pragma once

#include <string>

#include "aifd/config/settings.hpp"

namespace aifd::config {

// What `aifd check` prints: one line a variable, "NAME=value  # from <origin>", in the order of the
// template. Keys and passwords are masked; a value that is not set is "". The lines are .env
// syntax.
std::string describe(const Settings& settings);

// What `aifd gen-config` writes: a .env that explains every variable, all commented out but
// FORWARD_CONFIG. It loads as it is, and with any of its examples put to use.
std::string env_template();

}  // namespace aifd::config
