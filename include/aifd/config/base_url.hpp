// Where an upstream is: scheme, authority and path of a base_url or a proxy URL, taken apart once
// at start.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"

namespace aifd::config {

struct BaseUrl {
  bool tls = false;        // https
  std::string host;        // lower case, without the brackets of an IPv6 literal
  std::uint16_t port = 0;  // explicit, or 80 / 443
  std::string path;        // "" or "/v1": starts with a slash, never ends with one

  // host[:port] as the Host field wants it: brackets for IPv6, no port where it is the default.
  std::string authority() const;
  std::string to_string() const;  // "https://api.openai.com/v1"

  friend bool operator==(const BaseUrl&, const BaseUrl&) = default;
};

// Refuses anything but http and https, user info, query, fragment, an empty or invalid host, a port
// out of range, control characters, and dot segments in the path.
Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace aifd::config
