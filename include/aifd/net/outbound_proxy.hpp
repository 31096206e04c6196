// The way out through an HTTP proxy (PROXY, HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
#pragma once

#include <string>
#include <string_view>

#include "aifd/config/settings.hpp"

namespace aifd::net {

// The proxy for that server; null: connect directly. NO_PROXY lists names (also for their
// subdomains, with or without a leading dot), addresses, CIDR blocks, or "*".
const config::OutboundProxy* proxy_for(const config::Settings& settings, std::string_view host,
                                       bool tls);

// The value of Proxy-Authorization ("Basic ..."); "" where the proxy needs none (RFC 7617).
std::string proxy_authorization(const config::OutboundProxy& proxy);

}  // namespace aifd::net
