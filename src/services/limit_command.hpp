// A request to count, as limit_scripts.hpp wants it, and the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/chain/caller.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/redis_reply.hpp"

namespace aifd::services {

// One request of a caller under a rule.
class LimitCommand {
 public:
  // `now_us`: for tests; 0 is Redis' own time.
  LimitCommand(config::RateLimitStrategy strategy, const chain::CallerId& caller,
               const LimitRule& rule, std::uint64_t now_us = 0);

  // `command` is EVALSHA with a digest, or EVAL with a text. Views into this and `script`.
  std::vector<std::string_view> arguments(std::string_view command, std::string_view script) const;

  // Null: not what the script answers.
  std::optional<LimitDecision> read(const RedisReply& reply) const;

 private:
  std::vector<config::RateLimit> limits_;  // each once
  std::string key_count_;
  std::vector<std::string> parameters_;  // keys, then the time and the limits
};

}  // namespace aifd::services
