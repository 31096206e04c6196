#include "aifd/middleware/retry_fields.hpp"

#include <algorithm>
#include <chrono>

namespace aifd::middleware {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Clock::duration kLongestRetriedWait = std::chrono::minutes(1);

// 8640 is "8.64".
std::string seconds_text(std::int64_t millis) {
  std::string text = std::to_string(millis / 1000);
  const std::int64_t rest = millis % 1000;
  if (rest == 0) return text;
  std::string digits = std::to_string(1000 + rest);
  digits.front() = '.';
  digits.erase(digits.find_last_not_of('0') + 1);
  return text + digits;
}

}  // namespace

void add_retry_fields(chain::Exchange& exchange, protocol::Fields& fields, Clock::duration wait) {
  const std::int64_t whole = std::max<std::int64_t>(std::chrono::ceil<seconds>(wait).count(), 1);
  const std::int64_t millis =
      std::max<std::int64_t>(std::chrono::ceil<milliseconds>(wait).count(), 1);
  fields.set("Retry-After", exchange.keep(std::to_string(whole)));
  fields.set("retry-after-ms", exchange.keep(std::to_string(millis)));
  if (wait > kLongestRetriedWait) fields.set("x-should-retry", "false");
}

void set_limit_fields(chain::Exchange& exchange, protocol::Fields& fields,
                      const LimitFieldNames& names, const services::LimitDecision& decision) {
  fields.set(names.limit, exchange.keep(std::to_string(decision.limit)));
  fields.set(names.remaining, exchange.keep(std::to_string(decision.remaining)));
  fields.set(names.reset, exchange.keep(reset_text(decision.reset)));
}

std::string reset_text(Clock::duration wait) {
  const std::int64_t millis = std::chrono::ceil<milliseconds>(wait).count();
  if (millis <= 0) return "0s";
  if (millis < 1000) return std::to_string(millis) + "ms";
  if (millis < 60'000) return seconds_text(millis) + "s";
  const std::int64_t whole = std::chrono::ceil<seconds>(wait).count();
  std::string text;
  if (whole >= 3600) text = std::to_string(whole / 3600) + "h";
  return text + std::to_string(whole / 60 % 60) + "m" + std::to_string(whole % 60) + "s";
}

}  // namespace aifd::middleware
