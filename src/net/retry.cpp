#include "aifd/net/retry.hpp"

#include <algorithm>
#include <array>

namespace aifd::net {

bool is_idempotent(const protocol::RequestHead& request) noexcept {
  static constexpr std::array<std::string_view, 5> kMethods{"GET", "HEAD", "PUT", "DELETE",
                                                            "OPTIONS"};
  return std::ranges::find(kMethods, request.method) != kMethods.end() ||
         request.fields.contains("Idempotency-Key");
}

bool may_retry(const Error& error, const FailedAttempt& attempt,
               const protocol::RequestHead& request) noexcept {
  if (attempt.attempts > kMostRetries || !attempt.body_at_hand || attempt.answer_begun)
    return false;
  if (error.source != ErrorSource::upstream) return false;
  if (error.retryable) return true;
  return error.kind == ErrorKind::upstream_broke && is_idempotent(request);
}

std::chrono::milliseconds backoff(unsigned attempts, double jitter) noexcept {
  const double full = 100.0 * static_cast<double>(1U << (std::clamp(attempts, 1U, 8U) - 1));
  return std::chrono::milliseconds(static_cast<int>(full * (1.0 - jitter / 4)));
}

}  // namespace aifd::net
