// The start of connections through a proxy that speaks the PROXY protocol.
#pragma once

#include <atomic>
#include <optional>

#include "aifd/base/cidr.hpp"
#include "aifd/base/clock.hpp"
#include "aifd/net/stream.hpp"
#include "aifd/protocol/proxy_protocol.hpp"

namespace aifd::net {

// Tells who the peer of each connection is, and the operator what is wrong with the set-up, without
// filling the log. One for all workers; thread-safe.
class ProxyHeaders {
 public:
  // The set must outlive this.
  explicit ProxyHeaders(const CidrSet& trusted_proxies) : trusted_proxies_(trusted_proxies) {}

  // Takes the header off the connection's front, and not a byte of what follows: whom the header
  // names if `peer`, the socket's, is a trusted proxy, else `peer`. nullopt: no header came, and
  // the connection is to be closed. No deadline of its own: closing the socket ends it.
  Task<std::optional<IpAddress>> read_peer(Socket& socket, IpAddress peer);

 private:
  IpAddress believed(const IpAddress& peer, const protocol::ProxyHeader& header);
  void warn_of_malformed(const IpAddress& peer, const std::string& reason);

  const CidrSet& trusted_proxies_;
  std::atomic<Clock::rep> next_warning_{Clock::time_point::min().time_since_epoch().count()};
  std::atomic<bool> untrusted_named_{false};
};

}  // namespace aifd::net
