// Who may call, by address.
#pragma once

#include <string_view>

#include "aifd/base/cidr.hpp"
#include "aifd/chain/middleware.hpp"

namespace aifd::middleware {

// Also finds out the caller's address, which everything behind it counts by.
class IpFilter final : public chain::PromptMiddleware {
 public:
  // An empty allow list admits everybody; the deny list wins.
  IpFilter(CidrSet allow, CidrSet deny, CidrSet trusted_proxies);
  std::string_view name() const noexcept override { return "ip_filter"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  CidrSet allow_;
  CidrSet deny_;
  CidrSet trusted_proxies_;
};

// The peer's address, unless the peer is trusted: then the nearest one to it that its
// X-Forwarded-For fields (or, where there are none, its Forwarded fields) name and that is not
// itself trusted; the farthest where all are. An entry that names no address ends the search.
// Where both kinds are there X-Forwarded-For counts, since a proxy that manages it lets a forged
// Forwarded pass; so a proxy that writes only Forwarded must strip X-Forwarded-For.
IpAddress caller_address(const IpAddress& peer, const protocol::Fields& fields,
                         const CidrSet& trusted_proxies);

}  // namespace aifd::middleware
