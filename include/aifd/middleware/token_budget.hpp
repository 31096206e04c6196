// True tokens per caller: refuses a request that its quota has no room for, and counts what each
// answer reports (TOKEN_QUOTA).
#pragma once

#include <cstdint>
#include <optional>

#include "aifd/chain/middleware.hpp"
#include "aifd/protocol/usage_scanner.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/token_quota.hpp"

namespace aifd::middleware {

// Stands behind the route and the forward key, whose caller is counted, and behind the request
// limit, so that what is refused there reserves nothing.
//
// Reserved is an estimate: a token for each four bytes of the body, and the most tokens that it
// lets the answer have. An upload (multipart/form-data) is no prompt and reserves one. A request
// without a body passes uncounted. What the request cost then takes the reservation's place (see
// used_tokens); so the answer is asked for unencoded.
//
// A 2xx answer says what the reservation left in x-ratelimit-{limit,remaining,reset}-tokens, in the
// place of the upstream's own; other answers keep theirs.
class TokenBudget final : public chain::Middleware {
 public:
  // `quota` outlives the chain and its exchanges. Of bodies over `max_buffered_bytes` only the
  // length is taken.
  TokenBudget(services::LimitRules rules, services::TokenQuota& quota,
              std::uint64_t max_buffered_bytes)
      : rules_(std::move(rules)), quota_(quota), max_buffered_bytes_(max_buffered_bytes) {}
  std::string_view name() const noexcept override { return "token_quota"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  services::LimitRules rules_;
  services::TokenQuota& quota_;
  std::uint64_t max_buffered_bytes_;
};

// What a request is thought to need, before it is sent.
struct TokenEstimate {
  std::uint64_t prompt = 0;
  std::optional<std::uint64_t> most_output;  // where the request says so
  bool is_upload = false;
};

// What is known of an answer when it has ended.
struct AnswerSeen {
  enum class Body { stream, text, other };

  Body body = Body::other;  // by its Content-Type
  std::optional<protocol::TokenUsage> usage;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
};

// The tokens that an exchange cost:
// - of a whole 2xx answer what it reports;
// - of one that was cut, or does not report, the prompt (as reported, else as estimated) and a
// guess
//   of the output: a token for each event of a stream, or for each four bytes of a text, these no
//   more than the request allows or, where it does not say, 4,096 (an image in base64 is no text);
//   the text that answers an upload counts nothing;
// - the estimated prompt where the request went up whole and its client did not wait for the
// answer;
// - else nothing: the upstream was not asked, or it or aifd answered with an error.
std::uint64_t used_tokens(const chain::Outcome& outcome, const TokenEstimate& estimate,
                          const AnswerSeen& answer) noexcept;

}  // namespace aifd::middleware
