#include "aifd/config/redis_url.hpp"

#include "text.hpp"
#include "url_parts.hpp"

namespace aifd::config {
namespace {

constexpr unsigned kLargestDatabase = 65535;

Result<void> parse_userinfo(std::string_view userinfo, RedisUrl& url) {
  const std::size_t colon = std::min(userinfo.find(':'), userinfo.size());
  const auto user = percent_decode(userinfo.substr(0, colon));
  const auto password = percent_decode(userinfo.substr(std::min(colon + 1, userinfo.size())));
  if (!user || !password)
    return wrong("has a percent sign in its user or password that is not %XX");
  url.user = *user;
  url.password = Secret(*password);
  return {};
}

}  // namespace

std::string RedisUrl::to_string() const {
  std::string text = tls ? "rediss://" : "redis://";
  if (!user.empty() || !password.empty()) {
    text += user + (password.empty() ? "" : ":***") + '@';
  }
  text += format_authority(host, port);
  return database == 0 ? text : text + '/' + std::to_string(database);
}

std::string RedisUrl::place() const {
  return format_authority(host, port);
}

Result<RedisUrl> parse_redis_url(std::string_view text) {
  const Result<UrlParts> parts = parse_url_parts(text);
  if (!parts) return parts.error();
  if (parts->scheme != "redis" && parts->scheme != "rediss") {
    return wrong("has a scheme other than redis and rediss");
  }
  RedisUrl url;
  url.tls = parts->scheme == "rediss";
  url.host = parts->host;
  url.port = parts->port.value_or(url.port);
  if (const Result<void> done = parse_userinfo(parts->userinfo, url); !done) return done.error();
  if (parts->rest.empty() || parts->rest == "/") return url;
  const auto database = to_integer<unsigned>(std::string_view(parts->rest).substr(1));
  if (!parts->rest.starts_with('/') || !database || *database > kLargestDatabase) {
    return wrong("has something after the port that is not a database number");
  }
  url.database = *database;
  return url;
}

}  // namespace aifd::config
