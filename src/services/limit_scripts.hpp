// The Lua scripts that count requests in Redis: one for each strategy, for all limits of a rule at
// once.
#pragma once

#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"

namespace aifd::services {

// KEYS: one a limit. ARGV: the time in microseconds since 1970 or 0 for Redis' own, then of each
// limit its count and its window in microseconds. The reply is five integers: whether the request
// is admitted (1 or 0), the index of the limit that is reported, what remains of it, the
// microseconds of its reset and of retry-after. Written for Redis 5 and later.
std::string limit_script(config::RateLimitStrategy strategy);

// Of a script, by which EVALSHA knows it: 40 hex digits.
std::string sha1_hex(std::string_view text);

}  // namespace aifd::services
