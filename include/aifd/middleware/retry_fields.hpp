// What an answer tells its caller about limits, and a 429 about when to come again.
#pragma once

#include <string>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/services/limit_decision.hpp"

namespace aifd::middleware {

// Sets Retry-After (whole seconds, rounded up, at least 1; RFC 9110, 10.2.3), retry-after-ms
// (rounded up, at least 1; what the official SDKs read first) and, where the wait is over a minute,
// "x-should-retry: false", which keeps an SDK from sleeping that long unasked. The texts are kept
// by the exchange.
void add_retry_fields(chain::Exchange& exchange, protocol::Fields& fields, Clock::duration wait);

// OpenAI's fields of one kind of limit.
struct LimitFieldNames {
  protocol::FieldName limit, remaining, reset;
};
inline constexpr LimitFieldNames kRequestLimitFields{
    "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"};
inline constexpr LimitFieldNames kTokenLimitFields{
    "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"};

// Sets the three; the upstream's own give way.
void set_limit_fields(chain::Exchange& exchange, protocol::Fields& fields,
                      const LimitFieldNames& names, const services::LimitDecision& decision);

// A duration as in OpenAI's x-ratelimit-reset-*: "120ms", "1s", "8.64s", "6m0s", "24h0m0s".
// Rounded up, to milliseconds below a minute and to seconds from there; "0s" for none or less.
std::string reset_text(Clock::duration wait);

}  // namespace aifd::middleware
