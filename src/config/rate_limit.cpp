#include "aifd/config/rate_limit.hpp"

#include <array>
#include <limits>
#include <optional>

#include "text.hpp"

namespace aifd::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};

// Months and years are as long as the Python library has them: 30 days, and 12 of those.
constexpr std::array kUnits{
    Unit{"second", 1},   Unit{"minute", 60},       Unit{"hour", 3600},
    Unit{"day", 86'400}, Unit{"month", 2'592'000}, Unit{"year", 31'104'000},
};
constexpr std::int64_t kLongestWindow = 100 * kUnits.back().seconds;
constexpr std::uint64_t kLargestCount = 1'000'000'000'000;

Error not_a_limit(std::string_view text, std::string_view why) {
  return wrong(in_quotes(text) + " is not a limit: " + std::string(why) +
               "; write it like \"100/2minutes\", \"60/minute;600/hour\" or \"inf\"");
}

std::string_view take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text = trim(text.substr(end));
  return digits;
}

bool take_per(std::string_view& text) {
  std::size_t length = 0;
  if (text.starts_with('/')) length = 1;
  if (to_lower(text.substr(0, 3)) == "per") length = 3;
  text = trim(text.substr(length));
  return length > 0;
}

std::optional<std::int64_t> unit_seconds(std::string_view word) {
  std::string name = to_lower(word);
  if (name.size() > 1 && name.ends_with('s')) name.pop_back();
  for (const Unit& unit : kUnits) {
    if (name == unit.name) return unit.seconds;
  }
  return std::nullopt;
}

Result<RateLimit> parse_one(std::string_view text) {
  std::string_view rest = trim(text);
  const auto count = to_integer<std::uint64_t>(take_digits(rest));
  if (!count) return not_a_limit(text, "it must begin with a count");
  if (*count == 0 || *count > kLargestCount) {
    return not_a_limit(text, "the count must be from 1 to a million million");
  }
  if (!take_per(rest)) return not_a_limit(text, "\"/\" or \"per\" must follow the count");
  const std::string_view multiple_text = take_digits(rest);
  const auto multiple =
      multiple_text.empty() ? std::int64_t{1} : to_integer<std::int64_t>(multiple_text);
  const auto seconds = unit_seconds(rest);
  if (!seconds) {
    return not_a_limit(text, "its unit must be second, minute, hour, day, month or year");
  }
  if (!multiple || *multiple < 1 || *multiple > kLongestWindow / *seconds) {
    return not_a_limit(text, "its window must be from 1 second to 100 years");
  }
  return RateLimit{*count, std::chrono::seconds(*multiple * *seconds)};
}

std::string to_string(const RateLimit& limit) {
  const Unit* unit = &kUnits.front();
  for (const Unit& candidate : kUnits) {
    if (limit.window.count() % candidate.seconds == 0) unit = &candidate;
  }
  const std::int64_t multiple = limit.window.count() / unit->seconds;
  std::string text = std::to_string(limit.count) + "/";
  if (multiple != 1) text += std::to_string(multiple);
  return text + std::string(unit->name) + (multiple != 1 ? "s" : "");
}

}  // namespace

Result<RateLimits> parse_rate_limits(std::string_view text) {
  const std::string_view all = trim(text);
  if (all.empty() || to_lower(all) == "inf") return RateLimits{};
  RateLimits limits;
  std::size_t start = 0;
  while (start <= all.size()) {
    const std::size_t end = std::min(all.find_first_of(",;|", start), all.size());
    const Result<RateLimit> limit = parse_one(all.substr(start, end - start));
    if (!limit) return limit.error();
    limits.push_back(*limit);
    start = end + 1;
  }
  return limits;
}

std::string to_string(const RateLimits& limits) {
  if (limits.empty()) return "inf";
  std::vector<std::string> parts;
  for (const RateLimit& limit : limits) parts.push_back(to_string(limit));
  return join(parts, ";");
}

}  // namespace aifd::config
