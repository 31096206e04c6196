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

// The peer's address, unless the peer is trusted: then the right-most entry of its X-Forwarded-For
// fields, read as one list, that is not itself trusted; the left-most where all are. An entry that
// is no address ends the search: what stands left of it was written by whoever wrote that.
IpAddress caller_address(const IpAddress& peer, const protocol::Fields& fields,
                         const CidrSet& trusted_proxies);

}  // namespace aifd::middleware
