// How often one caller may ask.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/memory_limiter.hpp"
#include "aifd/services/redis_limiter.hpp"

namespace aifd::middleware {

// Counts in this process, for all its workers. A caller who is over the limit gets a 429 that says
// when to come again; admitted answers tell what is left.
class RequestLimit final : public chain::PromptMiddleware {
 public:
  // The limiter outlives the chain.
  RequestLimit(services::LimitRules rules, services::MemoryLimiter& limiter)
      : rules_(std::move(rules)), limiter_(limiter) {}
  std::string_view name() const noexcept override { return "request_limit"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  services::LimitRules rules_;
  services::MemoryLimiter& limiter_;
};

// Counts in a Redis server, for all daemons that share it, and in this process too: so the count
// goes on where it was while Redis is away.
class SharedRequestLimit final : public chain::Middleware {
 public:
  // The limiters outlive the chain.
  SharedRequestLimit(services::LimitRules rules, services::RedisLimiter& shared,
                     services::MemoryLimiter& own)
      : rules_(std::move(rules)), shared_(shared), own_(own) {}
  std::string_view name() const noexcept override { return "request_limit"; }
  void on_loop_start(LoopExecutor loop) const override;
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  services::LimitRules rules_;
  services::RedisLimiter& shared_;
  services::MemoryLimiter& own_;
};

// What becomes of the request: a 429 in its caller's dialect, or a tap that tells what is left.
Result<chain::Verdict> apply(chain::Exchange& exchange, const services::LimitRule& rule,
                             const services::LimitDecision& decision);

}  // namespace aifd::middleware
