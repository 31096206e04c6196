// Where a Redis server is, as a redis:// URL says it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/base/secret.hpp"

namespace aifd::config {

struct RedisUrl {
  bool tls = false;  // rediss
  std::string host;  // lower case, without the brackets of an IPv6 literal
  std::uint16_t port = 6379;
  std::string user;  // percent-decoded; empty: the default user
  Secret password;   // percent-decoded; empty: no authentication
  unsigned database = 0;

  std::string to_string() const;  // for people: the password is masked
  std::string place() const;      // "host:port", for logs
};

// Reads redis://[[user]:password@]host[:port][/database] and the same with rediss://. Error texts
// never repeat the URL.
Result<RedisUrl> parse_redis_url(std::string_view text);

}  // namespace aifd::config
