// Which addresses and origins may call.
#include <array>

#include "scalars.hpp"
#include "text.hpp"
#include "url_parts.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kAcceptedBlocks =
    "addresses or CIDR blocks with commas between them, such as 10.0.0.0/8,2001:db8::1";

void read_blocks(std::string_view text, CidrSet& target, Problems& problems) {
  const Result<std::vector<std::string>> list = parse_string_list(text);
  if (!list) return problems.push_back(list.error().detail);
  std::vector<Cidr> blocks;
  for (const std::string& item : *list) {
    if (const Result<Cidr> block = parse_cidr(item)) {
      blocks.push_back(*block);
    } else {
      problems.push_back(in_quotes(item) + " " + block.error().detail);
    }
  }
  if (problems.empty()) target = CidrSet(std::move(blocks));
}

std::string show_blocks(const CidrSet& set) {
  std::vector<std::string> blocks;
  for (const Cidr& block : set.blocks()) blocks.push_back(block.to_string());
  return join(blocks, ",");
}

// scheme://host[:port] as browsers send it; any scheme, since extensions have their own.
Result<std::string> parse_origin(std::string_view text) {
  const Result<UrlParts> parts = parse_url_parts(text);
  if (!parts) return wrong(in_quotes(text) + " " + parts.error().detail);
  if (parts->has_userinfo || (!parts->rest.empty() && parts->rest != "/")) {
    return wrong("has an origin with more than scheme, host and port");
  }
  return parts->scheme + "://" + format_authority(parts->host, parts->port);
}

void read_origins(std::string_view text, Settings& settings, Problems& problems) {
  const Result<std::vector<std::string>> list = parse_string_list(text);
  if (!list) return problems.push_back(list.error().detail);
  std::vector<std::string> origins;
  bool any = false;
  for (const std::string& item : *list) {
    any = any || item == "*";
    if (item == "*") continue;
    if (const Result<std::string> origin = parse_origin(item)) {
      origins.push_back(*origin);
    } else {
      problems.push_back(origin.error().detail);
    }
  }
  if (any && !origins.empty()) problems.push_back("has * and single origins; * allows them all");
  if (problems.empty()) settings.cors_origins = std::move(origins);
}

const std::array kVariables{
    Variable{"IP_WHITELIST", "Addresses or CIDR blocks that alone may call. Empty: everybody.",
             "127.0.0.1,10.0.0.0/8,2001:db8::/32", kAcceptedBlocks,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_blocks(text, settings.ip_whitelist, problems);
             },
             [](const Settings& settings) { return show_blocks(settings.ip_whitelist); }},
    Variable{"IP_BLACKLIST", "Addresses or CIDR blocks that may not call.", "203.0.113.7",
             kAcceptedBlocks,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_blocks(text, settings.ip_blacklist, problems);
             },
             [](const Settings& settings) { return show_blocks(settings.ip_blacklist); }},
    Variable{"TRUSTED_PROXIES",
             "Reverse proxies in front of aifd whose X-Forwarded-For is believed, and where there "
             "is none\n"
             "their Forwarded: a proxy that writes only Forwarded must strip X-Forwarded-For.\n"
             "Empty: nobody's.",
             "127.0.0.1/32,::1/128", kAcceptedBlocks,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_blocks(text, settings.trusted_proxies, problems);
             },
             [](const Settings& settings) { return show_blocks(settings.trusted_proxies); }, false,
             true},
    Variable{
        "PROXY_PROTOCOL",
        "Every connection begins with a PROXY protocol header, version 1 or 2; its address is\n"
        "believed from TRUSTED_PROXIES. A connection without one is closed.",
        "false", kAcceptedBool,
        [](std::string_view text, Settings& settings, Problems& problems) {
          assign(settings.proxy_protocol, parse_bool(text), problems);
        },
        [](const Settings& settings) { return show_bool(settings.proxy_protocol); }},
    Variable{"FORWARD_CLIENT_IP", "Tells upstreams the caller's address, in X-Forwarded-For.",
             "false", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.forward_client_ip, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.forward_client_ip); }},
    Variable{"CORS_ORIGINS", "Web pages whose scripts may call, by origin. Empty or *: all.",
             "https://chat.example.com", "origins such as https://chat.example.com, or *",
             read_origins,
             [](const Settings& settings) {
               return settings.cors_origins.empty() ? "*" : join(settings.cors_origins, ",");
             }},
};

}  // namespace

std::span<const Variable> access_variables() {
  return kVariables;
}

}  // namespace aifd::config
