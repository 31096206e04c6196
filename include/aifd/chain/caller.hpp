// Who asks: the client's connection, and the caller behind it.
#pragma once

#include <array>

#include "aifd/base/cidr.hpp"

namespace aifd::chain {

// The other end of the client's connection.
struct Client {
  IpAddress peer;     // of the socket
  IpAddress address;  // the caller's: the peer's, or what a trusted proxy in front says
  bool tls = false;
};

// Who is counted: the caller's key by the first half of its SHA-256 digest, or else the address.
using CallerId = std::array<unsigned char, 16>;

// By what the upstream may know who asks.
enum class Identity {
  anonymous,    // no key
  key,          // one of the caller's own
  forward_key,  // one that aifd replaces: callers of one level are one to the upstream
  mixed,        // several: which of them the upstream takes is unknown
};

}  // namespace aifd::chain
