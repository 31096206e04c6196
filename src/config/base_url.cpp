#include "aifd/config/base_url.hpp"

#include <algorithm>

#include "text.hpp"
#include "url_parts.hpp"

namespace aifd::config {
namespace {

constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

std::uint16_t default_port(bool tls) {
  return tls ? kHttpsPort : kHttpPort;
}

// What RFC 3986, 3.3 allows in a path, percent signs being looked at elsewhere.
bool is_path_char(char c) {
  constexpr std::string_view kMarks = "/%-._~!$&'()*+,;=:@";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

Result<std::string> parse_path(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_path_char)) {
    return wrong("has a character in its path that must be percent-encoded");
  }
  if (!percent_decode(text)) {
    return wrong("has a percent sign in its path without two hex digits of a printable character");
  }
  std::string path;
  for (const std::string& segment : split(text, '/')) {
    if (is_dot_segment(segment)) return wrong("has a \".\" or \"..\" in its path");
    path += '/' + segment;
  }
  return path;
}

}  // namespace

std::string BaseUrl::authority() const {
  if (port == default_port(tls)) return format_authority(host, std::nullopt);
  return format_authority(host, port);
}

std::string BaseUrl::to_string() const {
  return (tls ? "https://" : "http://") + authority() + path;
}

Result<BaseUrl> parse_base_url(std::string_view text) {
  const Result<UrlParts> parts = parse_url_parts(text);
  if (!parts) return parts.error();
  if (parts->scheme != "http" && parts->scheme != "https") {
    return wrong("has a scheme other than http and https");
  }
  if (parts->has_userinfo) return wrong("has a user name or password in it");
  if (parts->rest.find_first_of("?#") != std::string::npos) {
    return wrong("has a query or fragment (\"?\" or \"#\") in it");
  }
  const Result<std::string> path = parse_path(parts->rest);
  if (!path) return path.error();

  BaseUrl url;
  url.tls = parts->scheme == "https";
  url.host = parts->host;
  url.port = parts->port.value_or(default_port(url.tls));
  url.path = *path;
  return url;
}

}  // namespace aifd::config
