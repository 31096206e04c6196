// The version that people are told.
#pragma once

#include <string_view>

namespace aifd::app {

inline constexpr std::string_view kVersion = AIFD_VERSION;  // of CMakeLists.txt

}  // namespace aifd::app
