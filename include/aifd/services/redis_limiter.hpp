// Request limits that several daemons share, counted in a Redis server.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "aifd/chain/byte_stream.hpp"
#include "aifd/chain/caller.hpp"
#include "aifd/chain/task.hpp"
#include "aifd/config/redis_url.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/limit_decision.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/redis_server.hpp"

namespace aifd::services {

// Shared by all workers; each loop has a connection of its own, which may outlive this. Counts by
// the server's clock, so that the daemons' clocks need not agree.
class RedisLimiter {
 public:
  // `budget`: what a request waits for Redis at most; above 0. A rediss:// URL needs `tls`, which
  // is not used for others.
  RedisLimiter(config::RedisUrl url, config::RateLimitStrategy strategy,
               std::chrono::milliseconds budget, chain::WrapByteStream tls = {});

  // Connects for a loop. Once for each, before it runs; what waits there does not keep the loop
  // from being stopped and destroyed.
  void start_on(LoopExecutor loop);

  // Counts a request of the caller under all limits of the rule, or refuses it and counts nothing
  // (but see fixed-window-elastic-expiry). Both are asked for from a coroutine on a loop that
  // start_on knows. Null: Redis is away, or did not answer in time: count locally.
  Task<std::optional<LimitDecision>> hit(const chain::CallerId& caller, const LimitRule& rule);

  // Whether a name is being looked up. Then a loop's end may take as long as the system's resolver.
  bool looking_up() const noexcept { return server_->looking_up(); }

 private:
  const config::RateLimitStrategy strategy_;
  const std::chrono::milliseconds budget_;
  const std::string script_;
  const std::string digest_;
  const std::shared_ptr<RedisServer> server_;
};

}  // namespace aifd::services
