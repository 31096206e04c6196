#include "aifd/app/services.hpp"

#include "aifd/middleware/benchmark.hpp"

namespace aifd::app {
namespace {

std::unique_ptr<services::RedisLimiter> make_shared_limiter(const config::Limits& limits) {
  const bool limited = !limits.requests.empty() || !limits.global.empty();
  if (!limited || limits.backend_url.empty()) return nullptr;
  return std::make_unique<services::RedisLimiter>(
      config::parse_redis_url(limits.backend_url.reveal()).value(), limits.strategy,
      limits.backend_timeout);
}

}  // namespace

Services::Services(const config::Settings& settings,
                   std::unique_ptr<services::LineWriter> access_lines)
    : routes(settings.routes,
             settings.benchmark_mode ? middleware::Benchmark::kPrefix : std::string_view()),
      keys(settings.forward_keys, settings.api_keys),
      limiter(settings.limits.strategy),
      shared_limiter(make_shared_limiter(settings.limits)),
      access_log(std::move(access_lines)) {}

}  // namespace aifd::app
