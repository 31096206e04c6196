// The time of day as logs tell it, in the local time zone.
#pragma once

#include <string_view>

namespace aifd {

// "2026-11-22T21:05:19.123+08:00" (RFC 3339, milliseconds). Valid until the thread's next call;
// the zone is asked once a second and thread.
std::string_view timestamp_now();

}  // namespace aifd
