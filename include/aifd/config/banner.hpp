// What is shown when aifd starts.
#pragma once

#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"

namespace aifd::config {

// The service (each route with its upstream, keys, cache and log) and, when there are any, the
// limits. `address` is what was bound, such as "http://0.0.0.0:8000". With colour, two boxes with
// ANSI colours; without, lines "key: value" for a log. Keys and passwords are masked, and no line
// is over 100 columns: longer values are cut.
std::string banner(const Settings& settings, std::string_view version, std::string_view address,
                   bool colour);

}  // namespace aifd::config
