// A URL cut into its parts, before anyone asks what the parts are good for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aifd/base/error.hpp"

namespace aifd::config {

struct UrlParts {
  std::string scheme;    // lower case
  std::string userinfo;  // as written, still percent-encoded; empty when there is none
  bool has_userinfo = false;
  std::string host;  // lower case and checked, without brackets
  std::optional<std::uint16_t> port;
  std::string rest;  // from the first slash, question mark or hash on; may be empty
};

// Takes apart "scheme://[userinfo@]host[:port][rest]". Error texts never repeat the URL, since it
// may hold a password.
Result<UrlParts> parse_url_parts(std::string_view text);

// A host name, an IPv4 address or, without brackets, an IPv6 address; back in lower case.
Result<std::string> parse_host(std::string_view text);

// "%2F" becomes "/"; nothing when a percent sign does not begin two hex digits, or where it hides
// a control character.
std::optional<std::string> percent_decode(std::string_view text);

// host or [v6], and the port when there is one to show.
std::string format_authority(std::string_view host, std::optional<std::uint16_t> port);

// "." or "..", also where the dots are percent-encoded.
bool is_dot_segment(std::string_view segment);

}  // namespace aifd::config
