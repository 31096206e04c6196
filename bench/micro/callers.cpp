#include <benchmark/benchmark.h>

#include <memory>

#include "aifd/protocol/credentials.hpp"
#include "aifd/protocol/head_parser.hpp"
#include "aifd/services/key_ring.hpp"
#include "aifd/services/limit_rules.hpp"
#include "aifd/services/memory_limiter.hpp"
#include "operation.hpp"
#include "samples.hpp"

namespace aifd::bench {
namespace {

using benchmark::DoNotOptimize;

constexpr int kForwardKeys = 10;

std::shared_ptr<const services::KeyRing> key_ring() {
  std::vector<config::ForwardKey> keys;
  for (int i = 0; i < kForwardKeys; ++i) {
    keys.push_back({Secret("fk-abcdefghijklmnopqrstuvwxy" + std::to_string(i)), 0});
  }
  return std::make_shared<const services::KeyRing>(
      keys,
      std::vector{config::ApiKey{Secret("sk-one"), {}}, config::ApiKey{Secret("sk-two"), {}}});
}

std::function<void()> find_credentials() {
  return [head = protocol::parse_request_head(kRequestHead).value()] {
    DoNotOptimize(protocol::find_credentials(head, ""));
  };
}

std::function<void()> find_forward_key() {
  return
      [ring = key_ring()] { DoNotOptimize(ring->is_forward_key("fk-abcdefghijklmnopqrstuvwxy7")); };
}

std::function<void()> next_api_key() {
  return [ring = key_ring()] {
    DoNotOptimize(ring->next_api_key(0, "api.openai.com", Clock::time_point{}));
  };
}

auto limiter(config::RateLimitStrategy strategy) {
  const services::LimitRule rule{
      0, "/", config::parse_rate_limits("1000000000/day;1000000000/hour").value()};
  return [rule, limiter = std::make_shared<services::MemoryLimiter>(strategy)] {
    constexpr chain::CallerId kCaller{1, 2, 3};
    constexpr Clock::time_point kNow{std::chrono::hours(1000)};
    DoNotOptimize(limiter->hit(kCaller, rule, kNow));
  };
}

}  // namespace

void add_caller_operations(Operations& operations) {
  using config::RateLimitStrategy;
  operations.push_back({"find a request's credentials", find_credentials});
  operations.push_back({"find one of ten forward keys", find_forward_key});
  operations.push_back({"take the next API key", next_api_key});
  operations.push_back({"count under two limits, fixed window",
                        [] { return limiter(RateLimitStrategy::fixed_window); }});
  operations.push_back({"count under two limits, sliding window counter",
                        [] { return limiter(RateLimitStrategy::sliding_window_counter); }});
}

}  // namespace aifd::bench
