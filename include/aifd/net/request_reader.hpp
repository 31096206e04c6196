// From a head's bytes to a checked request, or to the reason why it is refused.
#pragma once

#include <optional>
#include <string_view>

#include "aifd/base/cidr.hpp"
#include "aifd/base/error.hpp"
#include "aifd/net/stream.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::net {

struct Request {
  protocol::RequestHead head;  // as far as it could be parsed
  protocol::RequestFraming framing;
  protocol::Target target;
  std::optional<Error>
      refused;  // then the body's framing is unknown: the connection ends after the answer
};

// `head_bytes` is a whole head, or why none came. A body declared larger than `max_body_bytes` is
// refused before any of it is read.
Request read_request(const Result<std::string_view>& head_bytes, std::uint64_t max_body_bytes);

// What a caller with a body over MAX_BODY_BYTES is told.
Error body_too_large(std::uint64_t max_body_bytes);

// The peer of a connected socket; all zero where it has gone already, and of a Unix socket.
IpAddress peer_address(const Socket& socket);

}  // namespace aifd::net
