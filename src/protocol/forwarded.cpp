#include "aifd/protocol/forwarded.hpp"

#include <algorithm>

#include "authority.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

constexpr FieldName kForwardedFor = "X-Forwarded-For";
constexpr FieldName kForwarded = "Forwarded";
constexpr std::string_view kSpace = " \t";

void skip_space(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
}

std::string_view trim(std::string_view text) noexcept {
  skip_space(text);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// Outside a quoted string there is no backslash, so a quote behind an odd number of them is inside.
bool is_escaped(std::string_view text, std::size_t at) noexcept {
  std::size_t backslashes = 0;
  while (backslashes < at && text[at - backslashes - 1] == '\\') ++backslashes;
  return backslashes % 2 == 1;
}

// npos where there is none.
std::size_t last_comma_outside_quotes(std::string_view list) noexcept {
  bool quoted = false;
  for (std::size_t at = list.size(); at-- > 0;) {
    if (list[at] == ',' && !quoted) return at;
    if (list[at] == '"' && !is_escaped(list, at)) quoted = !quoted;
  }
  return std::string_view::npos;
}

// RFC 7239, 6: node-port with its colon, or nothing.
bool is_port_part(std::string_view text) noexcept {
  static constexpr CharClass kHiddenChars{[](unsigned char byte) {
    const char c = static_cast<char>(byte);
    return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
  }};
  if (text.empty()) return true;
  if (text.size() < 2 || text[0] != ':') return false;
  const std::string_view port = text.substr(1);
  return is_port(port) || (port[0] == '_' && port.size() > 1 && kHiddenChars.has_all(port));
}

std::optional<IpAddress> read_address(std::string_view text) {
  const Result<IpAddress> address = parse_ip_address(text);
  return address ? std::optional(*address) : std::nullopt;
}

// "1.2.3.4", "1.2.3.4:5678", "[2001:db8::1]", "[2001:db8::1]:5678".
std::optional<IpAddress> read_node(std::string_view node) {
  if (!node.starts_with('[')) {
    const std::size_t host_end = std::min(node.find(':'), node.size());
    return is_port_part(node.substr(host_end)) ? read_address(node.substr(0, host_end))
                                               : std::nullopt;
  }
  const std::size_t end = node.find(']');
  if (end == std::string_view::npos || !is_port_part(node.substr(end + 1))) return std::nullopt;
  const std::string_view host = node.substr(1, end - 1);
  return host.find(':') != std::string_view::npos ? read_address(host) : std::nullopt;
}

// Proxies write an IPv6 address here without brackets too.
std::optional<IpAddress> read_forwarded_for(std::string_view entry) {
  const std::optional<IpAddress> address = read_address(entry);
  return address ? address : read_node(entry);
}

std::string_view take_token(std::string_view& text) noexcept {
  std::size_t end = 0;
  while (end < text.size() && kTokenChars.has(text[end])) ++end;
  const std::string_view token = text.substr(0, end);
  text.remove_prefix(end);
  return token;
}

// What stands between the quotes, its backslashes kept: no address has any. nullopt: no end.
std::optional<std::string_view> take_quoted(std::string_view& text) noexcept {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      const std::string_view content = text.substr(1, at - 1);
      text.remove_prefix(at + 1);
      return content;
    }
  }
  return std::nullopt;
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

std::optional<Parameter> take_parameter(std::string_view& text) noexcept {
  Parameter parameter;
  parameter.name = take_token(text);
  if (parameter.name.empty() || !text.starts_with('=')) return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('"')) {
    const std::optional<std::string_view> content = take_quoted(text);
    if (!content) return std::nullopt;
    parameter.value = *content;
  } else {
    parameter.value = take_token(text);
    if (parameter.value.empty()) return std::nullopt;
  }
  return parameter;
}

// RFC 7239, 4, and white space around semicolons, which people write: for=1.2.3.4; proto=https
std::optional<IpAddress> read_forwarded(std::string_view element) {
  std::optional<std::string_view> node;
  while (!element.empty()) {
    if (element.front() != ';') {
      const std::optional<Parameter> parameter = take_parameter(element);
      if (!parameter) return std::nullopt;
      const bool is_for = iequals(parameter->name, "for");
      if (is_for && node) return std::nullopt;
      if (is_for) node = parameter->value;
      skip_space(element);
    }
    if (element.empty()) break;
    if (element.front() != ';') return std::nullopt;
    element.remove_prefix(1);
    skip_space(element);
  }
  return node ? read_node(*node) : std::nullopt;
}

}  // namespace

ForwardedHops::ForwardedHops(const Fields& fields) noexcept {
  for (const Field& field : fields) {
    const bool is_usual = field.name == kForwardedFor;
    if (!is_usual && field.name != kForwarded) continue;
    fields_ = {fields.begin(), fields.end()};
    standard_ = !is_usual;
    if (is_usual) return;
  }
}

std::optional<IpAddress> ForwardedHops::next() {
  const std::string_view entry = next_entry();
  if (entry.empty()) return std::nullopt;
  const std::optional<IpAddress> address =
      standard_ ? read_forwarded(entry) : read_forwarded_for(entry);
  if (!address) {
    fields_ = {};
    left_ = {};
  }
  return address;
}

// "" where there is no further one; empty elements of a list do not count (RFC 9110, 5.6.1).
std::string_view ForwardedHops::next_entry() noexcept {
  std::string_view entry;
  while (entry.empty()) {
    if (left_.empty()) {
      if (fields_.empty()) break;
      const Field& field = fields_.back();
      fields_ = fields_.first(fields_.size() - 1);
      if (field.name == (standard_ ? kForwarded : kForwardedFor)) left_ = field.value;
      continue;
    }
    const std::size_t comma = standard_ ? last_comma_outside_quotes(left_) : left_.rfind(',');
    const bool last = comma == std::string_view::npos;
    entry = trim(last ? left_ : left_.substr(comma + 1));
    left_ = last ? std::string_view{} : left_.substr(0, comma);
  }
  return entry;
}

}  // namespace aifd::protocol
