#include "aifd/app/services.hpp"

#include "aifd/app/cache_store.hpp"
#include "aifd/app/redis_tls.hpp"
#include "aifd/middleware/benchmark.hpp"

namespace aifd::app {
namespace {

std::unique_ptr<services::RedisLimiter> make_shared_limiter(const config::Limits& limits) {
  const bool limited = !limits.requests.empty() || !limits.global.empty();
  if (!limited || limits.backend_url.empty()) return nullptr;
  const config::RedisUrl url = config::parse_redis_url(limits.backend_url.reveal()).value();
  return std::make_unique<services::RedisLimiter>(url, limits.strategy, limits.backend_timeout,
                                                  redis_tls(url));
}

}  // namespace

Services::Services(const config::Settings& settings,
                   std::unique_ptr<services::LineWriter> access_lines)
    : routes(settings.routes,
             settings.benchmark_mode ? middleware::Benchmark::kPrefix : std::string_view()),
      keys(settings.forward_keys, settings.api_keys),
      limiter(settings.limits.strategy),
      shared_limiter(make_shared_limiter(settings.limits)),
      cache(settings.cache.on() ? make_cache_store(settings) : nullptr),
      access_log(std::move(access_lines)) {}

}  // namespace aifd::app
