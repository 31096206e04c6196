// Readers and printers of the simple kinds of values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/base/error.hpp"
#include "json_text.hpp"
#include "variables.hpp"

namespace aifd::config {

inline constexpr std::string_view kAcceptedBool = "true or false";
inline constexpr std::string_view kAcceptedTimeout =
    "seconds above 0, decimals allowed, such as 10 or 0.5";

Result<bool> parse_bool(std::string_view text);  // true/false, yes/no, on/off, 1/0 in any case

inline constexpr std::string_view kAcceptedSeconds =
    "seconds above 0, decimals allowed, such as 10 or 0.5";

// "10", "0.5": seconds, to the millisecond; at most 1000000.
Result<std::chrono::milliseconds> parse_seconds(std::string_view text);

// The same for a time that is waited: not 0.
Result<std::chrono::milliseconds> parse_timeout(std::string_view text);

// "1048576", "32MiB", "1GB"; units of 1024 with an i, of 1000 without.
Result<std::uint64_t> parse_bytes(std::string_view text);

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most);

// "a, b" or ["a", "b"]; empty entries are left out.
Result<std::vector<std::string>> parse_string_list(std::string_view text);

// "/v1/chat": repeated slashes merged, none at the end. A missing first slash is an error.
Result<std::string> parse_path(std::string_view text);

std::string show_bool(bool value);
std::string show_seconds(std::chrono::milliseconds value);
std::string show_bytes(std::uint64_t value);
std::string show_json(const Json& value);  // bytes that are not UTF-8 are replaced

// Sets the target, or reports what is wrong.
template <class Target, class Value>
void assign(Target& target, Result<Value> result, Problems& problems) {
  if (result) {
    target = std::move(*result);
  } else {
    problems.push_back(result.error().detail);
  }
}

}  // namespace aifd::config
