#include "aifd/app/chain_builder.hpp"

#include "aifd/admin/health.hpp"
#include "aifd/middleware/access_log.hpp"
#include "aifd/middleware/admission.hpp"
#include "aifd/middleware/benchmark.hpp"
#include "aifd/middleware/cache.hpp"
#include "aifd/middleware/client_gone.hpp"
#include "aifd/middleware/conversation_log.hpp"
#include "aifd/middleware/cors.hpp"
#include "aifd/middleware/forward_key.hpp"
#include "aifd/middleware/ip_filter.hpp"
#include "aifd/middleware/model_access.hpp"
#include "aifd/middleware/model_map.hpp"
#include "aifd/middleware/request_limit.hpp"
#include "aifd/middleware/route.hpp"
#include "aifd/middleware/token_budget.hpp"
#include "aifd/middleware/token_pace.hpp"

namespace aifd::app {
namespace {

using Links = std::vector<std::unique_ptr<chain::Middleware>>;

// Whether anything asks who the caller is.
bool tells_callers(const config::Settings& settings) {
  const config::Limits& limits = settings.limits;
  return settings.cache.on() || !limits.requests.empty() || !limits.global.empty() ||
         !limits.token_quota.empty();
}

void add_request_limit(const config::Settings& settings, Services& services, Links& links) {
  services::LimitRules rules(settings.limits.requests, settings.limits.global,
                             services.routes.prefix_list());
  if (rules.empty()) return;
  if (services.shared_limiter) {
    links.push_back(std::make_unique<middleware::SharedRequestLimit>(
        std::move(rules), *services.shared_limiter, services.limiter));
  } else {
    links.push_back(std::make_unique<middleware::RequestLimit>(std::move(rules), services.limiter));
  }
}

void add_token_quota(const config::Settings& settings, Services& services, Links& links) {
  services::LimitRules rules(settings.limits.token_quota, {}, {});
  if (rules.empty()) return;
  links.push_back(std::make_unique<middleware::TokenBudget>(std::move(rules), services.token_quota,
                                                            settings.max_buffered_body_bytes));
}

void add_token_pace(const config::Settings& settings, Links& links) {
  services::LimitRules rules(settings.limits.tokens, {}, {});
  const config::IterChunkType chunks = settings.limits.iter_chunk_type;
  if (rules.empty() && chunks == config::IterChunkType::efficiency) return;
  const bool paces_hits = settings.cache.replay == config::CacheReplay::paced;
  links.push_back(std::make_unique<middleware::TokenPace>(std::move(rules), chunks, paces_hits));
}

}  // namespace

chain::Chain build_chain(const config::Settings& settings, Services& services) {
  Links links;
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

  add(std::make_unique<middleware::Route>(services.routes, settings.forward_client_ip));

  // Behind the route: a key rests at one upstream and serves at another.
  add(std::make_unique<middleware::ForwardKey>(
      services.keys, middleware::ForwardKey::Options{.required = settings.require_forward_key,
                                                     .tell_callers = tells_callers(settings),
                                                     .rest = settings.api_key_cooldown}));

  // Behind the key, which tells the level, and before the limits: what is refused is not counted.
  if (!settings.level_models.empty()) {
    add(std::make_unique<middleware::ModelAccess>(settings.level_models,
                                                  settings.max_buffered_body_bytes));
  }

  // Before all that costs an upstream or a store anything.
  add_request_limit(settings, services, links);
  add_token_quota(settings, services, links);

  // Behind whatever may refuse: there is nothing to read on of a refusal.
  if (!settings.client_gone.empty()) {
    add(std::make_unique<middleware::ClientGone>(settings.client_gone));
  }

  // Behind all that may refuse, so that what is logged was let through; before the cache, whose
  // answers are logged too.
  if (services.conversations) {
    add(std::make_unique<middleware::ConversationLog>(settings, *services.conversations));
  }

  // Behind whatever may answer from here, so that a refusal is not paced.
  add_token_pace(settings, links);

  // In an upstream's place, behind all that guards one.
  if (settings.benchmark_mode) {
    add(std::make_unique<middleware::Benchmark>(settings.max_buffered_body_bytes));
  }

  // May send the request to another server than the route's, under another model: the cache must
  // know which.
  if (!settings.model_map.models.empty()) {
    add(std::make_unique<middleware::ModelMap>(settings.model_map,
                                               settings.max_buffered_body_bytes));
  }

  // Last, since it calls the upstream itself, for all who ask the same; behind all that may refuse,
  // so that nobody is answered who has no right to ask.
  if (services.cache) {
    add(std::make_unique<middleware::Cache>(settings, *services.cache, services.flights,
                                            services.aside));
  }
  return chain::Chain(std::move(links));
}

}  // namespace aifd::app
