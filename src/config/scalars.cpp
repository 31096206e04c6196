#include "scalars.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "text.hpp"
#include "url_parts.hpp"

namespace aifd::config {
namespace {

struct ByteUnit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array kByteUnits{
    ByteUnit{"", 1},
    ByteUnit{"b", 1},
    ByteUnit{"kib", std::uint64_t{1} << 10},
    ByteUnit{"mib", std::uint64_t{1} << 20},
    ByteUnit{"gib", std::uint64_t{1} << 30},
    ByteUnit{"tib", std::uint64_t{1} << 40},
    ByteUnit{"kb", 1'000},
    ByteUnit{"mb", 1'000'000},
    ByteUnit{"gb", 1'000'000'000},
    ByteUnit{"tb", 1'000'000'000'000},
};
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 50;
constexpr double kMostSeconds = 1'000'000;

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

Result<std::vector<std::string>> strings_of(const Json& list) {
  if (!list.is_array()) return wrong("is " + json_type(list) + " where a list belongs");
  std::vector<std::string> strings;
  for (const Json& item : list) {
    if (!item.is_string()) return wrong("has " + json_type(item) + " in its list");
    const std::string_view text = trim(item.get_ref<const std::string&>());
    if (!text.empty()) strings.emplace_back(text);
  }
  return strings;
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  const std::string word = to_lower(text);
  if (is_any_of(word, {"true", "yes", "on", "1"})) return true;
  if (is_any_of(word, {"false", "no", "off", "0"})) return false;
  return wrong(in_quotes(text) + " is neither true nor false");
}

Result<std::chrono::milliseconds> parse_seconds(std::string_view text) {
  double seconds = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(seconds)) {
    return wrong(in_quotes(text) + " is not a number of seconds");
  }
  if (std::signbit(seconds) || seconds > kMostSeconds) {
    return wrong(in_quotes(text) + " is out of range");
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

Result<std::chrono::milliseconds> parse_timeout(std::string_view text) {
  Result<std::chrono::milliseconds> time = parse_seconds(text);
  if (time && time->count() == 0) return wrong(in_quotes(text) + " is less than a millisecond");
  return time;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = to_integer<std::uint64_t>(text.substr(0, digits));
  const std::string unit_name = to_lower(trim(text.substr(digits)));
  for (const ByteUnit& unit : kByteUnits) {
    if (!number || unit.name != unit_name) continue;
    if (*number > kMostBytes / unit.bytes) return wrong(in_quotes(text) + " is over 1024 TiB");
    return *number * unit.bytes;
  }
  return wrong(in_quotes(text) + " is not a number of bytes");
}

Result<std::uint64_t> parse_count(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = to_integer<std::uint64_t>(text);
  if (number && *number >= least && *number <= most) return *number;
  return wrong(in_quotes(text) + " is not a whole number from " + std::to_string(least) + " to " +
               std::to_string(most));
}

Result<std::vector<std::string>> parse_string_list(std::string_view text) {
  if (!looks_like_json(text)) return split(text, ',');
  const Result<Json> json = parse_json(text);
  if (!json) return json.error();
  return strings_of(*json);
}

Result<std::string> parse_path(std::string_view text) {
  if (!text.starts_with('/')) return wrong(in_quotes(text) + " does not begin with a slash");
  if (!is_token_text(text) || text.find_first_of("?#") != std::string_view::npos) {
    return wrong(in_quotes(text) +
                 " is not a path: it has a space, \"?\", \"#\" or a character that "
                 "must be percent-encoded in it");
  }
  const std::vector<std::string> segments = split(text, '/');
  if (std::ranges::any_of(segments, is_dot_segment)) {
    return wrong(in_quotes(text) + " has a \".\" or \"..\" between its slashes");
  }
  return '/' + join(segments, "/");
}

std::string show_bool(bool value) {
  return value ? "true" : "false";
}

std::string show_seconds(std::chrono::milliseconds value) {
  std::string text = std::to_string(value.count() / 1000);
  const auto rest = value.count() % 1000;
  if (rest == 0) return text;
  std::string decimals = std::to_string(1000 + rest).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return text + "." + decimals;
}

std::string show_bytes(std::uint64_t value) {
  std::string shown = std::to_string(value);
  for (const std::string_view name : {"KiB", "MiB", "GiB", "TiB"}) {
    if (value == 0 || value % 1024 != 0) break;
    value /= 1024;
    shown = std::to_string(value) + std::string(name);
  }
  return shown;
}

std::string show_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace aifd::config
