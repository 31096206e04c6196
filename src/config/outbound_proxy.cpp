#include "outbound_proxy.hpp"

#include "text.hpp"
#include "url_parts.hpp"

namespace aifd::config {

Result<OutboundProxy> parse_outbound_proxy(std::string_view text) {
  constexpr std::uint16_t kHttpPort = 80;
  const bool has_scheme = text.find("://") != std::string_view::npos;
  const std::string url = has_scheme ? std::string(text) : "http://" + std::string(text);
  const Result<UrlParts> parts = parse_url_parts(url);
  if (!parts) return parts.error();
  if (parts->scheme != "http") {
    return wrong(
        "has a scheme other than http; the way to the proxy itself is plain HTTP, and "
        "https upstreams go through it by CONNECT");
  }
  if (!parts->rest.empty() && parts->rest != "/") return wrong("has something after the port");
  const auto credentials = percent_decode(parts->userinfo);
  if (!credentials) return wrong("has a percent sign in its user or password that is not %XX");
  return OutboundProxy{parts->host, parts->port.value_or(kHttpPort), Secret(*credentials)};
}

std::string show_outbound_proxy(const OutboundProxy& proxy) {
  const std::string_view credentials = proxy.credentials.reveal();
  const std::string user(credentials.substr(0, credentials.find(':')));
  return "http://" + (credentials.empty() ? "" : user + ":***@") +
         format_authority(proxy.host, proxy.port);
}

}  // namespace aifd::config
