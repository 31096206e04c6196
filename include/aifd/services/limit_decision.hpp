// What a limit says about one request.
#pragma once

#include <cstdint>

#include "aifd/base/clock.hpp"

namespace aifd::services {

// Where several limits hold at once, of the one that refuses (the longest wait), or else of the one
// with the least left.
struct LimitDecision {
  bool admitted = true;
  std::uint64_t limit = 0;        // its count; 0: no limit holds
  std::uint64_t remaining = 0;    // of it, after this request
  Clock::duration reset{};        // until all of it is free again, with no further request
  Clock::duration retry_after{};  // until the same request would be admitted; zero where it was
};

}  // namespace aifd::services
