// Where a request goes: the route it took, and the way up.
#pragma once

#include <cstdint>
#include <string_view>

#include "aifd/protocol/fields.hpp"

namespace aifd::chain {

// The route a request took; empty prefix while none was chosen.
struct RouteInfo {
  std::string_view prefix;
  std::string_view path;  // of the request, after the prefix; begins with "/"
  bool openai = false;
};

// The server a request goes to. The views belong to the settings, which outlive every exchange.
struct UpstreamServer {
  std::string_view host;
  std::uint16_t port = 0;
  bool tls = false;
  std::string_view authority;  // the Host field
};

// What the links decided about the way up.
struct Destination {
  UpstreamServer server;
  std::string_view base_path;  // of base_url: stands before the path after the prefix
  protocol::Fields extra;      // fields to add to the head
  bool may_upgrade = true;     // whether a 101 may make this a tunnel
};

}  // namespace aifd::chain
