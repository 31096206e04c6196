#include "aifd/app/chain_builder.hpp"

#include "aifd/admin/health.hpp"
#include "aifd/middleware/access_log.hpp"
#include "aifd/middleware/admission.hpp"
#include "aifd/middleware/benchmark.hpp"
#include "aifd/middleware/cors.hpp"
#include "aifd/middleware/forward_key.hpp"
#include "aifd/middleware/ip_filter.hpp"
#include "aifd/middleware/model_map.hpp"
#include "aifd/middleware/route.hpp"

namespace aifd::app {

chain::Chain build_chain(const config::Settings& settings, Services& services,
                         std::chrono::nanoseconds benchmark_interval) {
  std::vector<std::unique_ptr<chain::Middleware>> links;
  const auto add = [&links]<class Link>(std::unique_ptr<Link> link) {
    links.push_back(std::move(link));
  };

  // First, so that its tap ends last and every exchange has its line, the refused ones too.
  if (services.access_log) add(std::make_unique<middleware::AccessLog>(*services.access_log));

  // Before anything that reads the request: what is not valid HTTP has nothing to read.
  add(std::make_unique<middleware::Admission>(services.routes));

  // Before the addresses: a load balancer's probe need not be on the allow list.
  add(std::make_unique<admin::Health>(services.lifecycle));

  // Before all that costs anything or tells anything.
  add(std::make_unique<middleware::IpFilter>(settings.ip_whitelist, settings.ip_blacklist,
                                             settings.trusted_proxies));

  // Before the keys: a preflight carries none, and a page must be able to read a 401.
  add(std::make_unique<middleware::Cors>(settings.cors_origins));

  // In the place of a route, and before the routes: "/" would cover it.
  if (settings.benchmark_mode) {
    add(std::make_unique<middleware::Benchmark>(
        middleware::Benchmark::Options{benchmark_interval, settings.max_buffered_body_bytes}));
  }

  add(std::make_unique<middleware::Route>(services.routes, settings.forward_client_ip));

  // Behind the route: which keys count may depend on it.
  add(std::make_unique<middleware::ForwardKey>(services.keys, settings.require_forward_key));

  // Last, since it may send the request to another server than the route's.
  if (!settings.model_map.models.empty()) {
    add(std::make_unique<middleware::ModelMap>(settings.model_map,
                                               settings.max_buffered_body_bytes));
  }
  return chain::Chain(std::move(links));
}

}  // namespace aifd::app
