#include "aifd/middleware/ip_filter.hpp"

#include "aifd/protocol/forwarded.hpp"

namespace aifd::middleware {

IpAddress caller_address(const IpAddress& peer, const protocol::Fields& fields,
                         const CidrSet& trusted_proxies) {
  IpAddress caller = peer;
  protocol::ForwardedHops hops(fields);
  while (trusted_proxies.contains(caller)) {
    const std::optional<IpAddress> farther = hops.next();
    if (!farther) break;
    caller = *farther;
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
