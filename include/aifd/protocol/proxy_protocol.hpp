// The PROXY protocol's header, versions 1 and 2: whom a proxy's connection is for. Source of the
// format: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "aifd/base/cidr.hpp"
#include "aifd/base/error.hpp"

namespace aifd::protocol {

// A header is at most this long; more is malformed.
inline constexpr std::size_t kMaxProxyHeaderBytes = 16 + 4096;

// What a proxy sends that speaks for itself (version 1, UNKNOWN).
inline constexpr std::string_view kUnknownProxyHeader = "PROXY UNKNOWN\r\n";

struct ProxyHeader {
  struct Source {
    IpAddress address;
    std::uint16_t port = 0;
  };

  std::size_t bytes = 0;  // its own length; what follows is the client's
  // None where the proxy speaks for itself (LOCAL) or for what is no TCP connection (UNKNOWN,
  // AF_UNSPEC, AF_UNIX, datagrams): then the connection's peer counts.
  std::optional<Source> source;
};

// Reads the header that a connection begins with from its bytes so far. nullopt: more must come.
// Errors (bad_request): they begin no header; the detail is a clause. The destination is
// checked and dropped, what version 2 has behind the addresses (TLVs) is skipped. To be called with
// ever more bytes: version 2 costs the same each time, version 1 at most its 107 bytes.
Result<std::optional<ProxyHeader>> read_proxy_header(std::string_view bytes);

}  // namespace aifd::protocol
