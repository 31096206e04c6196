// Heads from bytes: Beast's grammar behind aifd's own strictness.
#pragma once

#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::net {

// Parse one whole head, blank line included. The result's views point into `bytes`. Errors:
// bad_request or head_too_large of the client; upstream_malformed of the upstream.
Result<protocol::RequestHead> parse_request_head(std::string_view bytes);
Result<protocol::ResponseHead> parse_response_head(std::string_view bytes);

}  // namespace aifd::net
