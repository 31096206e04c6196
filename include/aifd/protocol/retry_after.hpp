// How long an answer asks its caller to wait.
#pragma once

#include <chrono>
#include <ctime>
#include <optional>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// From retry-after-ms (milliseconds, as OpenAI sends and its SDKs read), or else Retry-After:
// whole seconds or a date (RFC 9110, 10.2.3), which is compared with `now`; a date that has passed
// is zero. Nothing where neither is there and valid. At most 24 hours.
std::optional<std::chrono::milliseconds> retry_after(const Fields& fields, std::time_t now);

}  // namespace aifd::protocol
