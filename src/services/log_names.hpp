// What the files of the conversation log are called, and local time as it stands in it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace aifd::services {

using WallClock = std::chrono::system_clock;

// "2023-10-17 15:27:12", as the records have it. Valid until the thread's next call; the zone is
// asked once for each second and thread.
std::string_view local_datetime(WallClock::time_point at);

// Of a log called <stem>.log: "<stem>.2023-10-17_15-27-12_123456.log".
std::string rotated_name(std::string_view stem, WallClock::time_point at);

inline constexpr std::string_view kPackedEnding = ".zst";
inline constexpr std::string_view kUnfinishedEnding = ".zst.tmp";

enum class RotatedKind { plain, packed, unfinished };

// nullopt: it is no rotated file of that log.
std::optional<RotatedKind> rotated_kind(std::string_view name, std::string_view stem) noexcept;

}  // namespace aifd::services
