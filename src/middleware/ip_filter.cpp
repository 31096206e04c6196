#include "aifd/middleware/ip_filter.hpp"

#include <ranges>
#include <vector>

namespace aifd::middleware {
namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "1.2.3.4", "1.2.3.4:5678", "2001:db8::1", "[2001:db8::1]:5678": proxies write all of them.
Result<IpAddress> read_entry(std::string_view entry) {
  if (entry.starts_with('[')) {
    const std::size_t end = entry.find(']');
    const std::string_view rest = end == std::string_view::npos ? "?" : entry.substr(end + 1);
    if (rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)))) {
      return parse_ip_address(entry.substr(1, end - 1));
    }
  }
  const std::size_t colon = entry.find(':');
  if (colon != std::string_view::npos && is_port(entry.substr(colon + 1))) {
    const std::string_view host = entry.substr(0, colon);
    if (host.find('.') != std::string_view::npos) entry = host;
  }
  return parse_ip_address(entry);
}

}  // namespace

IpAddress caller_address(const IpAddress& peer, const protocol::Fields& fields,
                         const CidrSet& trusted_proxies) {
  if (!trusted_proxies.contains(peer)) return peer;
  std::vector<std::string_view> entries;
  for (const protocol::Field& field : fields) {
    if (!protocol::iequals(field.name, "X-Forwarded-For")) continue;
    protocol::for_each_token(field.value,
                             [&entries](std::string_view entry) { entries.push_back(entry); });
  }
  IpAddress caller = peer;
  for (const std::string_view entry : entries | std::views::reverse) {
    const Result<IpAddress> address = read_entry(entry);
    if (!address) break;
    caller = *address;
    if (!trusted_proxies.contains(caller)) break;
  }
  return caller;
}

IpFilter::IpFilter(CidrSet allow, CidrSet deny, CidrSet trusted_proxies)
    : allow_(std::move(allow)),
      deny_(std::move(deny)),
      trusted_proxies_(std::move(trusted_proxies)) {}

Result<chain::Verdict> IpFilter::decide(chain::Exchange& exchange) const {
  exchange.client.address =
      caller_address(exchange.client.peer, exchange.request.fields, trusted_proxies_);
  const IpAddress& address = exchange.client.address;
  if (deny_.contains(address) || (!allow_.empty() && !allow_.contains(address))) {
    return Error{ErrorKind::address_denied, ErrorSource::aifd, false,
                 "The address " + address.to_string() +
                     " may not use this service; ask its operator (IP_WHITELIST, IP_BLACKLIST)."};
  }
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
