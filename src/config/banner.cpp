#include "aifd/config/banner.hpp"

#include <algorithm>
#include <array>

#include "aifd/config/redis_url.hpp"
#include "enum_names.hpp"
#include "outbound_proxy.hpp"
#include "route_limits.hpp"
#include "text.hpp"
#include "text_box.hpp"

namespace aifd::config {
namespace {

constexpr std::array kRouteColours{
    Colour{0x7C, 0xD9, 0xFF}, Colour{0xBD, 0xAD, 0xFF}, Colour{0x9E, 0xFF, 0xE3},
    Colour{0xF1, 0xB8, 0xE4}, Colour{0xF5, 0xA8, 0x8E}, Colour{0xBB, 0xCA, 0x89},
};
constexpr Colour kGood{0x62, 0xE8, 0x83};
constexpr Colour kBad{0xFF, 0x55, 0x55};
constexpr Colour kLimitKind{0x7C, 0xD9, 0xFF};
constexpr Colour kLimit{0xC5, 0xFF, 0x95};

// "3 (sk-***abcd, sk-***efgh, ...)"
template <class Key>
std::string list_keys(const std::vector<Key>& keys) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(keys.size(), kShown); ++i) {
    shown.push_back(keys[i].key.masked());
  }
  if (keys.size() > kShown) shown.emplace_back("...");
  return std::to_string(keys.size()) + " (" + join(shown, ", ") + ")";
}

std::string describe_cache(const Cache& cache, bool openai) {
  std::string text(to_string(cache.backend));
  if (cache.backend == CacheBackend::lmdb || cache.backend == CacheBackend::leveldb) {
    text += " in " + cache.root_path_or_url;
  } else if (cache.backend == CacheBackend::redis) {
    const Result<RedisUrl> url = parse_redis_url(cache.root_path_or_url);
    text += url ? " at " + url->to_string() : "";
  }
  if (cache.ttl.count() > 0) text += ", " + std::to_string(cache.ttl.count()) + " s";
  const bool asks = openai && !cache.cached_by_default;
  return text + (asks ? ", for requests that ask for it" : ", for every request");
}

void add_keys(const Settings& settings, const Colour& colour, std::vector<BoxRow>& rows) {
  const bool has_api_keys = !settings.api_keys.empty();
  const bool has_forward_keys = !settings.forward_keys.empty();
  if (has_api_keys) rows.push_back({"api keys", list_keys(settings.api_keys), colour});
  if (!has_api_keys && !has_forward_keys) return;
  const std::string forward_keys = has_forward_keys ? list_keys(settings.forward_keys) : "none";
  rows.push_back({"forward keys", forward_keys, has_forward_keys ? kGood : kBad});
}

void add_route(const Settings& settings, const Route& route, const Colour& colour,
               std::vector<BoxRow>& rows) {
  const bool openai = route.type == RouteType::openai;
  const bool cached = openai ? settings.cache.openai : settings.cache.general;
  const bool logged = openai ? settings.logs.openai : settings.logs.general;
  rows.push_back({"base url", route.base_url.to_string(), colour});
  rows.push_back({"route prefix", route.prefix, colour});
  rows.push_back({"type", std::string(to_string(route.type)), colour});
  if (openai) add_keys(settings, colour, rows);
  if (cached) {
    rows.push_back({"cache", describe_cache(settings.cache, openai), colour});
    const std::string routes = join(settings.cache.routes, ", ");
    if (!routes.empty()) rows.push_back({"cache routes", routes, colour});
  }
  if (logged) rows.push_back({"log", settings.logs.folder, colour});
  if (openai && settings.logs.print_chat) rows.push_back({"print chat", "on", colour});
}

std::string list_blocks(const CidrSet& set) {
  std::vector<std::string> blocks;
  for (const Cidr& block : set.blocks()) blocks.push_back(block.to_string());
  return join(blocks, ", ");
}

// Who may call, and for which models.
void add_access(const Settings& settings, std::vector<BoxRow>& rows) {
  const Colour& colour = kRouteColours.front();
  if (settings.require_forward_key) rows.push_back({"callers", "only with a forward key", colour});
  if (!settings.ip_whitelist.empty()) {
    rows.push_back({"allowed addresses", list_blocks(settings.ip_whitelist), colour});
  }
  if (!settings.ip_blacklist.empty()) {
    rows.push_back({"denied addresses", list_blocks(settings.ip_blacklist), colour});
  }
  for (const auto& [level, models] : settings.level_models) {
    if (level == 0) continue;  // may use all
    rows.push_back({"models of level " + std::to_string(level), join(models, ", "), colour});
  }
}

void add_facts(const Settings& settings, std::vector<BoxRow>& rows) {
  const Colour& colour = kRouteColours.front();
  if (settings.proxy) rows.push_back({"proxy", show_outbound_proxy(*settings.proxy), colour});
  if (settings.proxy_protocol) {
    rows.push_back({"proxy protocol", "required of every connection", colour});
  }
  if (settings.benchmark_mode) {
    rows.push_back({"benchmark", "/benchmark/v1/chat/completions", colour});
  }
  for (const auto& [asked, served] : settings.model_map.models) {
    const std::string where = served + " at " + settings.model_map.api_base.to_string();
    rows.push_back({"model " + asked, where, colour});
  }
}

Box service_box(const Settings& settings, std::string_view version, std::string_view address) {
  Box box{"aifd v" + std::string(version) + " is ready to serve at " + std::string(address), {}};
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    if (i > 0) box.rows.emplace_back();
    add_route(settings, settings.routes[i], kRouteColours[i % kRouteColours.size()], box.rows);
  }
  std::vector<BoxRow> facts;
  add_access(settings, facts);
  add_facts(settings, facts);
  if (!facts.empty()) box.rows.emplace_back();
  box.rows.insert(box.rows.end(), facts.begin(), facts.end());
  return box;
}

bool has_limits(const Limits& limits) {
  return !limits.requests.empty() || !limits.global.empty() || !limits.tokens.empty() ||
         !limits.token_quota.empty() || limits.iter_chunk_type != IterChunkType::efficiency;
}

void add_limits(const RouteLimits& limits, std::string_view kind, std::vector<BoxRow>& rows) {
  for (const auto& [route, levels] : limits) {
    rows.push_back({route, describe_limits(levels) + " (" + std::string(kind) + ")", kLimit});
  }
}

Box limits_box(const Limits& limits) {
  Box box{"Rate limits", {}};
  const Result<RedisUrl> redis = parse_redis_url(limits.backend_url.reveal());
  const std::string backend =
      limits.backend_url.empty() ? "memory" : (redis ? redis->to_string() : "***");
  box.rows.push_back({"backend", backend, kLimitKind});
  box.rows.push_back({"strategy", std::string(to_string(limits.strategy)), kLimitKind});
  box.rows.push_back({"global rate limit", to_string(limits.global) + " (req)", kLimit});
  add_limits(limits.requests, "req", box.rows);
  add_limits(limits.tokens, "token", box.rows);
  add_limits(limits.token_quota, "token quota", box.rows);
  if (limits.iter_chunk_type != IterChunkType::efficiency) {
    box.rows.push_back({"streams", std::string(to_string(limits.iter_chunk_type)), kLimit});
  }
  return box;
}

}  // namespace

std::string banner(const Settings& settings, std::string_view version, std::string_view address,
                   bool colour) {
  const auto draw = colour ? draw_box : plain_box;
  std::string text = draw(service_box(settings, version, address));
  if (has_limits(settings.limits)) text += draw(limits_box(settings.limits));
  return text;
}

}  // namespace aifd::config
