#include "aifd/services/redis_limiter.hpp"

#include <boost/asio/this_coro.hpp>
#include <utility>
#include <vector>

#include "aifd/services/redis_connection.hpp"
#include "limit_command.hpp"
#include "limit_scripts.hpp"

namespace aifd::services {
namespace {

RedisOptions options_for(config::RedisUrl url, std::chrono::milliseconds budget,
                         chain::WrapByteStream tls) {
  RedisOptions options;
  options.url = std::move(url);
  options.budget = budget;
  options.meanwhile = "limits are counted by this daemon alone";
  options.wrap = std::move(tls);
  return options;
}

}  // namespace

RedisLimiter::RedisLimiter(config::RedisUrl url, config::RateLimitStrategy strategy,
                           std::chrono::milliseconds budget, chain::WrapByteStream tls)
    : strategy_(strategy),
      budget_(budget),
      script_(limit_script(strategy)),
      digest_(sha1_hex(script_)),
      server_(std::make_shared<RedisServer>(options_for(std::move(url), budget, std::move(tls)))) {}

void RedisLimiter::start_on(LoopExecutor loop) {
  redis_connection(asio::query(loop, asio::execution::context), server_);
}

Task<std::optional<LimitDecision>> RedisLimiter::hit(const chain::CallerId& caller,
                                                     const LimitRule& rule) {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  RedisConnection& connection =
      redis_connection(asio::query(loop, asio::execution::context), server_);
  if (rule.limits.empty()) co_return LimitDecision{};
  if (connection.away()) co_return std::nullopt;
  const Clock::time_point asked = Clock::now();
  const LimitCommand command(strategy_, caller, rule);
  std::vector<std::string_view> arguments = command.arguments("EVALSHA", digest_);
  std::optional<RedisReply> reply = co_await connection.command(arguments, budget_, asked);
  if (reply && reply->is_error("NOSCRIPT")) {  // a new server, or a new version of the script
    arguments = command.arguments("EVAL", script_);
    reply = co_await connection.command(arguments, budget_, asked);
  }
  if (!reply) co_return std::nullopt;
  const std::optional<LimitDecision> decision = command.read(*reply);
  if (decision) {
    server_->served_command();
  } else {
    server_->refused_command(reply->text);
  }
  co_return decision;
}

}  // namespace aifd::services
