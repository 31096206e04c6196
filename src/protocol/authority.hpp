// The "host:port" of a Host field or of an absolute target.
#pragma once

#include <optional>
#include <string_view>

#include "aifd/base/hex.hpp"
#include "chars.hpp"

namespace aifd::protocol {

struct Authority {
  std::string_view host;  // an IPv6 address with its brackets
  std::string_view port;  // "" where none is given
};

inline bool is_port(std::string_view text) noexcept {
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

// Narrower than RFC 3986, 3.2: no user, no percent-encoding and no sub-delims in a name.
inline std::optional<Authority> parse_authority(std::string_view text) noexcept {
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end < 3) return std::nullopt;
    for (const char c : text.substr(1, host_end - 1)) {
      if (hex_value(c) < 0 && c != ':' && c != '.') return std::nullopt;
    }
    ++host_end;
  } else {
    while (host_end < text.size() && kUnreservedChars.has(text[host_end])) ++host_end;
    if (host_end == 0) return std::nullopt;
  }
  Authority authority{text.substr(0, host_end), {}};
  if (host_end == text.size()) return authority;
  if (text[host_end] != ':') return std::nullopt;
  authority.port = text.substr(host_end + 1);
  if (!is_port(authority.port)) return std::nullopt;
  return authority;
}

}  // namespace aifd::protocol
