#include "aifd/middleware/token_budget.hpp"

#include <algorithm>
#include <limits>

#include "aifd/middleware/retry_fields.hpp"
#include "aifd/protocol/media_type.hpp"
#include "aifd/protocol/token_estimate.hpp"

namespace aifd::middleware {

using chain::Exchange;
using services::LimitDecision;
using services::TokenQuota;

namespace {

constexpr std::uint64_t kMostGuessedOutput = 4096;
// For a request that no wait helps: a client that obeys comes back so rarely that it does no harm.
constexpr std::chrono::hours kNeverWait{1};

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return b > kMost - a ? kMost : a + b;
}

bool has_body(const chain::RequestBody& body) noexcept {
  const protocol::BodyFraming framing = body.framing();
  return framing.kind != protocol::BodyKind::none &&
         framing != protocol::BodyFraming{protocol::BodyKind::length, 0};
}

Task<Result<TokenEstimate>> estimate_of(Exchange& exchange, std::uint64_t max_buffered_bytes) {
  TokenEstimate estimate;
  if (protocol::iequals(protocol::media_type(exchange.request.fields), "multipart/form-data")) {
    estimate.is_upload = true;
    co_return estimate;
  }
  const protocol::BodyFraming framing = exchange.body.framing();
  if (framing.kind == protocol::BodyKind::length && framing.length > max_buffered_bytes) {
    estimate.prompt = protocol::estimated_tokens(framing.length);
    co_return estimate;
  }
  const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes);
  if (!whole) co_return whole.error();
  estimate.prompt = protocol::estimated_tokens(exchange.body.held().size());
  if (!*whole) co_return estimate;
  const protocol::JsonPeek* peek = exchange.body.peek();
  if (peek != nullptr) estimate.most_output = peek->max_tokens;
  co_return estimate;
}

// In OpenAI's words.
std::string refusal_text(const TokenQuota::Answer& answer, std::uint64_t tokens) {
  const LimitDecision& decision = answer.decision;
  const std::string limit = std::to_string(decision.limit);
  if (answer.never) {
    return "Request too large: Limit " + limit + ", Requested " + std::to_string(tokens) +
           " tokens; it can never be admitted. Shorten the prompt or lower max_tokens.";
  }
  return "Rate limit reached for tokens: Limit " + limit + ", Used " +
         std::to_string(decision.limit - decision.remaining) + ", Requested " +
         std::to_string(tokens) + ". Please try again in " + reset_text(decision.retry_after) + ".";
}

chain::Reply refusal(Exchange& exchange, const TokenQuota::Answer& answer, std::uint64_t tokens) {
  const Error error{ErrorKind::rate_limited, ErrorSource::client, false,
                    refusal_text(answer, tokens)};
  exchange.progress.error = error;
  chain::Reply reply = chain::error_reply(exchange, error);
  protocol::Fields& fields = reply.head.fields;
  set_limit_fields(exchange, fields, kTokenLimitFields, answer.decision);
  const Clock::duration wait = answer.never ? kNeverWait : answer.decision.retry_after;
  add_retry_fields(exchange, fields, wait);
  return reply;
}

AnswerSeen::Body body_of(const protocol::Fields& fields) {
  const std::string_view type = protocol::media_type(fields);
  if (protocol::is_stream(type)) return AnswerSeen::Body::stream;
  if (protocol::iequals(type, "application/json") ||
      protocol::iequals(type.substr(0, 5), "text/")) {
    return AnswerSeen::Body::text;
  }
  return AnswerSeen::Body::other;
}

bool is_success(int status) noexcept {
  return status >= 200 && status < 300;
}

// Reads what the answer reports, and settles the reservation.
class QuotaTap final : public chain::Tap {
 public:
  QuotaTap(Exchange& exchange, TokenQuota& quota, TokenQuota::Answer reserved,
           Clock::time_point now, const TokenEstimate& estimate)
      : exchange_(exchange),
        quota_(quota),
        reservation_(std::move(reserved.reservation)),
        decision_(reserved.decision),
        resets_at_(now + decision_.reset),
        estimate_(estimate) {}

  void on_head(protocol::ResponseHead& head) override {
    if (!is_success(head.status)) return;
    body_ = body_of(head.fields);
    decision_.reset = resets_at_ - Clock::now();
    set_limit_fields(exchange_, head.fields, kTokenLimitFields, decision_);
  }

  Clock::time_point on_chunk(std::string_view bytes) noexcept override {
    bytes_ += bytes.size();
    return chain::kAtOnce;
  }

  void on_done(const chain::Outcome& outcome) noexcept override {
    AnswerSeen seen{.body = body_, .usage = {}, .events = 0, .bytes = bytes_};
    if (const protocol::UsageScanner* counted = exchange_.usage()) {
      seen.usage = counted->usage();
      seen.events = counted->events();
    }
    quota_.settle(reservation_, used_tokens(outcome, estimate_, seen), outcome.ended);
  }

 private:
  Exchange& exchange_;
  TokenQuota& quota_;
  TokenQuota::Reservation reservation_;
  LimitDecision decision_;
  Clock::time_point resets_at_;
  TokenEstimate estimate_;
  AnswerSeen::Body body_ = AnswerSeen::Body::other;
  std::uint64_t bytes_ = 0;
};

std::uint64_t guessed_output(const TokenEstimate& estimate, const AnswerSeen& answer) noexcept {
  switch (answer.body) {
    case AnswerSeen::Body::stream:
      return answer.events;
    case AnswerSeen::Body::text:
      if (estimate.is_upload) return 0;
      return std::min(protocol::estimated_tokens(answer.bytes),
                      estimate.most_output.value_or(kMostGuessedOutput));
    case AnswerSeen::Body::other:
      break;
  }
  return 0;
}

}  // namespace

std::uint64_t used_tokens(const chain::Outcome& outcome, const TokenEstimate& estimate,
                          const AnswerSeen& answer) noexcept {
  if (outcome.status == 0) {
    const bool was_sent = outcome.attempts > 0 && outcome.phase >= chain::Phase::wait_head;
    return was_sent ? estimate.prompt : 0;
  }
  if (!is_success(outcome.status)) return 0;
  if (outcome.seen_whole() && answer.usage) return answer.usage->total;

  const std::uint64_t output = guessed_output(estimate, answer);
  if (!answer.usage) return saturating_add(estimate.prompt, output);
  const std::uint64_t input = answer.usage->input > 0 ? answer.usage->input : estimate.prompt;
  return std::max(answer.usage->total, saturating_add(input, output));
}

Task<Result<chain::Verdict>> TokenBudget::on_request(Exchange& exchange) const {
  const services::LimitRule* rule =
      rules_.find(exchange.target.path, exchange.route.prefix, exchange.level);
  if (rule == nullptr || !has_body(exchange.body)) co_return chain::Verdict{chain::Pass{}};
  const Result<TokenEstimate> estimate = co_await estimate_of(exchange, max_buffered_bytes_);
  if (!estimate) co_return estimate.error();
  exchange.request.fields.set("Accept-Encoding", "identity");

  // At least one, so that nothing passes where nothing remains.
  const std::uint64_t tokens = std::max<std::uint64_t>(
      saturating_add(estimate->prompt, estimate->most_output.value_or(0)), 1);
  const Clock::time_point now = Clock::now();
  TokenQuota::Answer answer = quota_.reserve(exchange.caller, *rule, tokens, now);
  if (!answer.decision.admitted) co_return chain::Verdict{refusal(exchange, answer, tokens)};
  exchange.count_usage();
  exchange.add_tap(std::make_unique<QuotaTap>(exchange, quota_, std::move(answer), now, *estimate));
  co_return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
