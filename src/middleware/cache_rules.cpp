#include "cache_rules.hpp"

#include <algorithm>

#include "aifd/protocol/media_type.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::middleware {
namespace {

constexpr std::string_view kResponses = "/v1/responses";

// Whether the first route that covers the path, which has the longest prefix, is an openai route.
bool is_under_openai(const std::vector<config::Route>& routes, std::string_view path) {
  const auto route = std::ranges::find_if(
      routes, [path](const config::Route& r) { return protocol::covers(r.prefix, path); });
  return route != routes.end() && route->type == config::RouteType::openai;
}

}  // namespace

CacheRules::CacheRules(const config::Settings& settings)
    : openai_(settings.cache.openai),
      general_(settings.cache.general),
      routes_(settings.cache.routes.begin(), settings.cache.routes.end()),
      chat_(settings.chat_completion_path),
      completion_(settings.completion_path),
      embedding_(settings.embedding_path),
      custom_general_(settings.custom_general_path) {
  names_openai_ = std::ranges::any_of(routes_, [&settings](const std::string& path) {
    return is_under_openai(settings.routes, path);
  });
}

std::optional<CachePlace> CacheRules::find(const chain::Exchange& exchange) const {
  if (exchange.framing.wants_upgrade) return std::nullopt;
  if (exchange.route.openai) return openai_ ? find_openai(exchange) : std::nullopt;
  const std::string_view method = exchange.request.method;
  const bool may_keep = general_ && (method == "GET" || method == "POST");
  if (!may_keep || !keeps_general(exchange)) return std::nullopt;
  return CachePlace{.openai = false, .keeps = true};
}

bool CacheRules::keeps_general(const chain::Exchange& exchange) const {
  if (!routes_.empty()) return routes_.contains(exchange.target.path);
  return !custom_general_.empty() && exchange.route.path == custom_general_;
}

std::optional<CachePlace> CacheRules::find_openai(const chain::Exchange& exchange) const {
  // Many clients say another type, such as curl, which says a form's, and are understood. Uploads
  // are not held.
  const bool is_upload = protocol::is_binary(protocol::media_type(exchange.request.fields));
  if (exchange.request.method != "POST" || is_upload) return std::nullopt;
  CachePlace place{.openai = true, .keeps = keeps_openai(exchange)};
  const std::string_view path = exchange.route.path;
  place.embeddings = path == embedding_ || path.ends_with("/embeddings");
  place.converts = path == chat_ || path == completion_ || path.ends_with("/completions") ||
                   path.ends_with("/responses");
  return place;
}

bool CacheRules::keeps_openai(const chain::Exchange& exchange) const {
  if (names_openai_) return routes_.contains(exchange.target.path);
  const std::string_view path = exchange.route.path;
  return path == chat_ || path == completion_ || path == embedding_ || path == kResponses;
}

}  // namespace aifd::middleware
