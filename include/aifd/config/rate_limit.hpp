// The notation of request, token and quota limits, as the Python library `limits` reads it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/error.hpp"

namespace aifd::config {

// "count per window": 100/2minutes is {100, 120 s}.
struct RateLimit {
  std::uint64_t count = 0;  // 1 or more
  std::chrono::seconds window{};

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// All of these hold at once; empty means no limit ("inf").
using RateLimits = std::vector<RateLimit>;

// Reads "100/2minutes", "60/minute;600/hour", "1 per 10 second", "20/second", "inf" (any case, `,`
// `;` or `|` between several; second, minute, hour, day, month, year, each also plural).
// Format: https://limits.readthedocs.io/en/stable/quickstart.html#rate-limit-string-notation
// Nothing but spaces is no limit too. A month is 30 days and a year 12 of those, as there. The
// longest window is 100 years. On error, detail says what was wrong and what is accepted.
Result<RateLimits> parse_rate_limits(std::string_view text);

// The same notation back, for people: "100/2minutes;600/hour", "inf" when empty.
std::string to_string(const RateLimits& limits);

}  // namespace aifd::config
