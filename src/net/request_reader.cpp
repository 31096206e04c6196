#include "aifd/net/request_reader.hpp"

#include <algorithm>

#include "aifd/protocol/head_parser.hpp"

namespace aifd::net {

Error body_too_large(std::uint64_t max_body_bytes) {
  return {ErrorKind::body_too_large, ErrorSource::client, false,
          "The request's body is larger than " + std::to_string(max_body_bytes) +
              " bytes (MAX_BODY_BYTES)."};
}

Request read_request(const Result<std::string_view>& head_bytes, std::uint64_t max_body_bytes) {
  Request request;
  request.framing.keep_alive = false;
  if (!head_bytes) {
    request.refused = head_bytes.error();
    return request;
  }
  Result<protocol::RequestHead> head = protocol::parse_request_head(*head_bytes);
  if (!head) {
    request.refused = head.error();
    return request;
  }
  request.head = std::move(*head);
  const Result<protocol::RequestFraming> framing = protocol::check_request(request.head);
  if (!framing) {
    request.refused = framing.error();
    return request;
  }
  Result<protocol::Target> target = protocol::parse_target(request.head.target);
  if (!target) {
    request.refused = target.error();
    return request;
  }
  request.target = std::move(*target);
  if (framing->body.kind == protocol::BodyKind::length && framing->body.length > max_body_bytes) {
    request.refused = body_too_large(max_body_bytes);
    return request;
  }
  request.framing = *framing;
  return request;
}

IpAddress peer_address(const Socket& socket) {
  error_code ec;
  const tcp::endpoint peer = socket.remote_endpoint(ec);
  IpAddress result;
  if (ec) return result;
  const asio::ip::address_v6 address =
      peer.address().is_v6()
          ? peer.address().to_v6()
          : asio::ip::make_address_v6(asio::ip::v4_mapped, peer.address().to_v4());
  std::ranges::copy(address.to_bytes(), result.bytes.begin());
  return result;
}

}  // namespace aifd::net
