#include "aifd/protocol/retry_after.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace aifd::protocol {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongest = std::chrono::hours(24);

// Nothing but digits with at most one point in them.
std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

milliseconds bounded(double wait_ms) {
  const auto longest = static_cast<double>(kLongest.count());
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(wait_ms, longest))));
}

// IMF-fixdate, the one form that may be sent: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::time_t> read_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return ::timegm(&parts);
}

}  // namespace

std::optional<milliseconds> retry_after(const Fields& fields, std::time_t now) {
  if (const auto wait_ms = read_number(fields.get("retry-after-ms"))) return bounded(*wait_ms);
  const std::string_view value = fields.get("Retry-After");
  if (const auto wait_s = read_number(value)) return bounded(*wait_s * 1000);
  if (const std::optional<std::time_t> date = read_date(value)) {
    return std::min<milliseconds>(kLongest, seconds(std::max<std::time_t>(0, *date - now)));
  }
  return std::nullopt;
}

}  // namespace aifd::protocol
