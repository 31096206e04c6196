#include "aifd/middleware/route.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;

// Enough of a path to know it by.
std::string shown(std::string_view path) {
  constexpr std::size_t kMost = 200;
  return path.size() <= kMost ? std::string(path) : std::string(path.substr(0, kMost)) + "...";
}

Error no_route(std::string detail) {
  return {ErrorKind::no_route, ErrorSource::client, false, std::move(detail)};
}

// A client whose base URL ends in /v1 behind a tool that adds /v1, or a base_url that has it
// already.
Error doubled_version(const config::Route& route) {
  const std::string base = route.prefix == "/" ? "" : route.prefix;
  if (route.base_url.path.ends_with("/v1")) {
    return no_route("This path would become /v1/v1 at the upstream: FORWARD_CONFIG's base_url " +
                    route.base_url.to_string() +
                    " ends in /v1 already. Take /v1 off that base_url"
                    ", or call " +
                    base + "/... without /v1.");
  }
  return no_route(
      "The path begins with /v1/v1: the client adds /v1 to a base URL that ends in it. "
      "Set the client's base URL to http(s)://HOST" +
      base + " without /v1.");
}

bool is_doubled(const config::Route& route, std::string_view path) {
  constexpr std::string_view kVersion = "/v1/";
  if (!path.starts_with(kVersion)) return false;
  return route.base_url.path.ends_with("/v1") || path.substr(3).starts_with(kVersion);
}

}  // namespace

UpgradeChoice choose_upgrade(const protocol::RequestHead& head,
                             const protocol::RequestFraming& framing) {
  if (!framing.wants_upgrade) return UpgradeChoice::none;
  bool h2c = false;
  bool tls = false;
  protocol::for_each_token(head.fields.get("Upgrade"), [&](std::string_view protocol) {
    h2c = h2c || protocol::iequals(protocol, "h2c") ||
          protocol::iequals(protocol.substr(0, 5), "HTTP/");
    tls = tls || protocol::iequals(protocol.substr(0, 4), "TLS/");
  });
  if (h2c || head.version_minor == 0) return UpgradeChoice::decline;
  const bool has_body = framing.body.kind != protocol::BodyKind::none &&
                        framing.body != protocol::BodyFraming{protocol::BodyKind::length, 0};
  return head.method == "GET" && !has_body && !tls ? UpgradeChoice::tunnel : UpgradeChoice::refuse;
}

Result<chain::Verdict> Route::decide(Exchange& exchange) const {
  const services::RouteTable::Entry* entry = table_.find(exchange.target.path);
  if (entry == nullptr) {
    return no_route("No route of this aifd covers " + shown(exchange.target.path) +
                    "; it serves: " + table_.prefixes() + ". Check the client's base URL.");
  }
  const config::Route& route = entry->route;
  exchange.route = {route.prefix,
                    services::RouteTable::path_after(route.prefix, exchange.target.path),
                    route.type == config::RouteType::openai};
  exchange.dialect = protocol::detect_dialect(route.prefix, exchange.route.path);
  if (entry->local) return chain::Verdict{chain::Pass{}};
  if (exchange.route.openai && is_doubled(route, exchange.route.path)) {
    return doubled_version(route);
  }
  switch (choose_upgrade(exchange.request, exchange.framing)) {
    case UpgradeChoice::decline:
      exchange.framing.wants_upgrade = false;
      break;
    case UpgradeChoice::refuse:
      return Error{ErrorKind::upgrade_refused, ErrorSource::client, false,
                   "This connection cannot be upgraded: a tunnel takes a GET without a body, "
                   "and no TLS inside; "
                   "send the request without Upgrade."};
    case UpgradeChoice::none:
    case UpgradeChoice::tunnel:
      break;
  }
  exchange.destination.server = entry->server();
  exchange.destination.base_path = route.base_url.path;
  if (forward_client_ip_) {
    exchange.destination.extra.add("X-Forwarded-For",
                                   exchange.keep(exchange.client.address.to_string()));
  }
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
