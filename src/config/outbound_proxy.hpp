// The URL of an HTTP proxy for upstream connections.
#pragma once

#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"

namespace aifd::config {

// http://[user:password@]host[:port]; the scheme may be missing, the port is 80 then. Error texts
// never repeat the URL.
Result<OutboundProxy> parse_outbound_proxy(std::string_view text);

std::string show_outbound_proxy(const OutboundProxy& proxy);  // the credentials masked

}  // namespace aifd::config
