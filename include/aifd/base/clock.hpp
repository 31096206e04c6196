// Time as the proxy measures it: monotonic, never the wall clock, which may jump.
#pragma once

#include <chrono>

namespace aifd {

using Clock = std::chrono::steady_clock;

}  // namespace aifd
