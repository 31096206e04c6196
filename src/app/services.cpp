#include "aifd/app/services.hpp"

#include "aifd/app/cache_store.hpp"
#include "aifd/middleware/benchmark.hpp"
#include "aifd/net/tls_byte_stream.hpp"

namespace aifd::app {
namespace {

// Throws where the trust of the system cannot be loaded.
chain::WrapByteStream wrap_in_tls() {
  return [context = net::make_client_tls().value()](std::unique_ptr<chain::ByteStream> plain) {
    return std::make_unique<net::TlsByteStream>(std::move(plain), context);
  };
}

std::unique_ptr<services::RedisLimiter> make_shared_limiter(const config::Limits& limits) {
  const bool limited = !limits.requests.empty() || !limits.global.empty();
  if (!limited || limits.backend_url.empty()) return nullptr;
  const config::RedisUrl url = config::parse_redis_url(limits.backend_url.reveal()).value();
  return std::make_unique<services::RedisLimiter>(url, limits.strategy, limits.backend_timeout,
                                                  url.tls ? wrap_in_tls() : nullptr);
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
