#include "aifd/middleware/request_limit.hpp"

#include <utility>

#include "aifd/middleware/retry_fields.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using services::LimitDecision;
using services::LimitRule;

// The caller's limit is the one here, not what the upstream says of the key that went up; but an
// error of the upstream's is told in its own words.
class LimitFieldsTap final : public chain::Tap {
 public:
  LimitFieldsTap(Exchange& exchange, const LimitDecision& decision)
      : exchange_(exchange), decision_(decision) {}

  void on_head(protocol::ResponseHead& head) override {
    if (head.status >= 400 && head.fields.contains(kRequestLimitFields.limit)) return;
    set_limit_fields(exchange_, head.fields, kRequestLimitFields, decision_);
  }

 private:
  Exchange& exchange_;
  LimitDecision decision_;
};

// "100/2minutes": the limit that the decision tells of. Of several with one count it is the
// shortest that can ask for so long a wait.
std::string text_of(const LimitRule& rule, const LimitDecision& decision) {
  const auto rank = [&](const config::RateLimit& limit) {
    return std::pair(limit.window < decision.retry_after, limit.window);
  };
  const config::RateLimit* told = nullptr;
  for (const config::RateLimit& limit : rule.limits) {
    if (limit.count != decision.limit) continue;
    if (told == nullptr || rank(limit) < rank(*told)) told = &limit;
  }
  return told == nullptr ? std::to_string(decision.limit)
                         : config::to_string(config::RateLimits{*told});
}

const LimitRule* rule_of(const services::LimitRules& rules, const Exchange& exchange) {
  return rules.find(exchange.target.path, exchange.route.prefix, exchange.level);
}

}  // namespace

Result<chain::Verdict> apply(Exchange& exchange, const LimitRule& rule,
                             const LimitDecision& decision) {
  if (decision.admitted) {
    exchange.add_tap(std::make_unique<LimitFieldsTap>(exchange, decision));
    return chain::Verdict{chain::Pass{}};
  }
  const Error error{ErrorKind::rate_limited, ErrorSource::client, false,
                    "Rate limit reached for requests to " + rule.route + ": limit " +
                        text_of(rule, decision) + ". Please try again in " +
                        reset_text(decision.retry_after) + "."};
  exchange.progress.error = error;
  chain::Reply reply = chain::error_reply(exchange, error);
  add_retry_fields(exchange, reply.head.fields, decision.retry_after);
  set_limit_fields(exchange, reply.head.fields, kRequestLimitFields, decision);
  return chain::Verdict{std::move(reply)};
}

Result<chain::Verdict> RequestLimit::decide(Exchange& exchange) const {
  const LimitRule* rule = rule_of(rules_, exchange);
  if (rule == nullptr) return chain::Verdict{chain::Pass{}};
  return apply(exchange, *rule, limiter_.hit(exchange.caller, *rule, Clock::now()));
}

void SharedRequestLimit::on_loop_start(LoopExecutor loop) const {
  shared_.start_on(loop);
}

Task<Result<chain::Verdict>> SharedRequestLimit::on_request(Exchange& exchange) const {
  const LimitRule* rule = rule_of(rules_, exchange);
  if (rule == nullptr) co_return chain::Verdict{chain::Pass{}};
  const std::optional<LimitDecision> shared = co_await shared_.hit(exchange.caller, *rule);
  if (!shared) co_return apply(exchange, *rule, own_.hit(exchange.caller, *rule, Clock::now()));
  if (shared->admitted) own_.hit(exchange.caller, *rule, Clock::now());
  co_return apply(exchange, *rule, *shared);
}

}  // namespace aifd::middleware
