#include "aifd/middleware/retry_fields.hpp"

#include <algorithm>
#include <chrono>

#include "aifd/base/decimal.hpp"
#include "aifd/base/text_buffer.hpp"

namespace aifd::middleware {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Clock::duration kLongestRetriedWait = std::chrono::minutes(1);

// 8640 is "8.64".
void add_seconds(TextBuffer& text, std::uint64_t millis) {
  text.number(millis / 1000);
  std::string_view rest = three_digits(millis % 1000);
  rest = rest.substr(0, rest.find_last_not_of('0') + 1);
  if (!rest.empty()) text.text(".", rest);
}

// As reset_text() says.
void add_reset(TextBuffer& text, Clock::duration wait) {
  if (wait <= Clock::duration{0}) return text.text("0s");
  const auto millis = static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(wait).count());
  if (millis < 1000) {
    text.number(millis);
    return text.text("ms");
  }
  if (millis < 60'000) {
    add_seconds(text, millis);
    return text.text("s");
  }
  const auto whole = static_cast<std::uint64_t>(std::chrono::ceil<seconds>(wait).count());
  if (whole >= 3600) {
    text.number(whole / 3600);
    text.text("h");
  }
  text.number(whole / 60 % 60);
  text.text("m");
  text.number(whole % 60);
  text.text("s");
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
  TextBuffer text;
  text.number(decision.limit);
  const std::size_t limit_end = text.view().size();
  text.number(decision.remaining);
  const std::size_t remaining_end = text.view().size();
  add_reset(text, decision.reset);
  const std::string_view kept = exchange.keep(text.view());
  fields.set(names.limit, kept.substr(0, limit_end));
  fields.set(names.remaining, kept.substr(limit_end, remaining_end - limit_end));
  fields.set(names.reset, kept.substr(remaining_end));
}

std::string reset_text(Clock::duration wait) {
  TextBuffer text;
  add_reset(text, wait);
  return std::string(text.view());
}

}  // namespace aifd::middleware
