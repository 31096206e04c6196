// When a request may be sent again, decided without a socket.
#pragma once

#include <chrono>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::net {

inline constexpr unsigned kMostRetries = 3;

// What is known of a failed attempt.
struct FailedAttempt {
  unsigned attempts = 1;      // made so far, this one included
  bool body_at_hand = true;   // the request's body can be sent from its first byte again
  bool answer_begun = false;  // a byte of the answer has come
};

// By RFC 9110, 9.2.2: GET, HEAD, PUT, DELETE, OPTIONS, and a request with an Idempotency-Key.
bool is_idempotent(const protocol::RequestHead& request) noexcept;

// At most kMostRetries. Any request where no byte of it can have reached the upstream
// (Error::retryable); an idempotent one also where the connection broke before one byte of answer.
// A POST that may have arrived is never sent twice: it would be billed twice.
bool may_retry(const Error& error, const FailedAttempt& attempt,
               const protocol::RequestHead& request) noexcept;

// Before the next attempt: 100, 200, 400 ms, each up to a quarter shorter (`jitter` in [0, 1)), so
// that callers who failed together do not come back together.
std::chrono::milliseconds backoff(unsigned attempts, double jitter) noexcept;

}  // namespace aifd::net
