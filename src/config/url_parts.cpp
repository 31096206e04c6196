#include "url_parts.hpp"

#include <algorithm>

#include "aifd/base/cidr.hpp"
#include "aifd/base/hex.hpp"
#include "text.hpp"

namespace aifd::config {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::size_t kLongestLabel = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_host_char(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_host_char);
}

// A name whose last label is a number is meant as an IPv4 address (WHATWG URL, 4.3.7).
bool ends_in_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), is_digit);
}

bool is_name(std::string_view host) {
  if (host.size() > kLongestHost) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && is_letter(scheme.front()) &&
         std::all_of(scheme.begin(), scheme.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

Result<std::string> parse_bracketed(std::string_view text) {
  const Result<IpAddress> address = parse_ip_address(text);
  if (!address || text.find(':') == std::string_view::npos) {
    return wrong("has brackets around something that is not an IPv6 address");
  }
  return parse_host(text);
}

// Fills host and port from "host", "host:port", "[v6]" or "[v6]:port".
Result<void> parse_host_and_port(std::string_view text, UrlParts& parts) {
  std::string_view after;
  Result<std::string> host = wrong("");
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos)
      return wrong("has an opening bracket without a closing one");
    host = parse_bracketed(text.substr(1, close - 1));
    after = text.substr(close + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = parse_host(text.substr(0, colon));
    after = text.substr(colon);
  }
  if (!host) return host.error();
  parts.host = *host;
  if (after.empty()) return {};
  parts.port = to_integer<std::uint16_t>(after.substr(1));
  if (!after.starts_with(':') || !parts.port || *parts.port == 0) {
    return wrong("has a port that is not a number from 1 to 65535");
  }
  return {};
}

}  // namespace

Result<std::string> parse_host(std::string_view text) {
  if (text.empty()) return wrong("names no host");
  if (const Result<IpAddress> address = parse_ip_address(text)) {
    return text.find(':') == std::string_view::npos ? address->to_string() : to_lower(text);
  }
  if (ends_in_number(text)) return wrong("has a host that looks like an IPv4 address and is none");
  if (!is_name(text)) {
    return wrong(
        "has a host that is neither a name (letters, digits, \"-\", \"_\" and \".\") nor an "
        "IP address");
  }
  return to_lower(text);
}

Result<UrlParts> parse_url_parts(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
    return wrong("has a space, a control character or a character outside ASCII in it");
  }
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || !is_scheme(text.substr(0, scheme_end))) {
    return wrong("does not begin with a scheme, as in https://");
  }
  UrlParts parts;
  parts.scheme = to_lower(text.substr(0, scheme_end));
  text.remove_prefix(scheme_end + 3);
  const std::size_t authority_end = std::min(text.find_first_of("/?#\\"), text.size());
  std::string_view authority = text.substr(0, authority_end);
  parts.rest = text.substr(authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parts.has_userinfo = true;
    parts.userinfo = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (const Result<void> done = parse_host_and_port(authority, parts); !done) return done.error();
  return parts;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    const int value = high * 16 + low;
    if (high < 0 || low < 0 || value < 0x20 || value == 0x7f) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

std::string format_authority(std::string_view host, std::optional<std::uint16_t> port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  std::string text = v6 ? '[' + std::string(host) + ']' : std::string(host);
  if (port) text += ':' + std::to_string(*port);
  return text;
}

bool is_dot_segment(std::string_view segment) {
  const std::optional<std::string> decoded = percent_decode(segment);
  return decoded == "." || decoded == "..";
}

}  // namespace aifd::config
