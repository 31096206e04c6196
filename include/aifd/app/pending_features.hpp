// Settings that are read and checked, but not acted on in this version.
#pragma once

#include <string>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::app {

// Those of them that are set; said at start, so that nobody relies on them unawares.
std::vector<std::string> pending_features(const config::Settings& settings);

}  // namespace aifd::app
