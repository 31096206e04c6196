// Chooses the upstream.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/services/route_table.hpp"

namespace aifd::middleware {

class Route final : public chain::PromptMiddleware {
 public:
  // The table outlives the chain. `forward_client_ip`: the upstream is told the caller's address.
  Route(const services::RouteTable& table, bool forward_client_ip)
      : table_(table), forward_client_ip_(forward_client_ip) {}
  std::string_view name() const noexcept override { return "route"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  const services::RouteTable& table_;
  bool forward_client_ip_;
};

// What becomes of a wish to upgrade. h2c is declined by answering in HTTP/1.1 (RFC 9110,
// 7.8 allows it, and Java's HttpClient asks for h2c with every first request); where else no tunnel
// can be, the client is told at once (426).
enum class UpgradeChoice { none, tunnel, decline, refuse };
UpgradeChoice choose_upgrade(const protocol::RequestHead& head,
                             const protocol::RequestFraming& framing);

}  // namespace aifd::middleware
