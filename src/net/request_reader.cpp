#include "aifd/net/request_reader.hpp"

#include <algorithm>
#include <array>

#include "aifd/protocol/head_parser.hpp"

namespace aifd::net {

namespace {

// Methods are case-sensitive (RFC 9110, 9.1), but whoever writes "get" means GET, and an upstream
// that reads "head" as HEAD would disagree with us about the answer's body.
std::string_view normal_method(std::string_view method) noexcept {
  static constexpr std::array<std::string_view, 9> kStandard{
      "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"};
  const auto same = [method](std::string_view name) { return protocol::iequals(name, method); };
  const auto found = std::ranges::find_if(kStandard, same);
  return found == kStandard.end() ? method : *found;
}

}  // namespace

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
  request.head.method = normal_method(request.head.method);
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
  if (ec || peer.data()->sa_family == AF_UNIX) return result;
  const asio::ip::address_v6 address =
      peer.address().is_v6()
          ? peer.address().to_v6()
          : asio::ip::make_address_v6(asio::ip::v4_mapped, peer.address().to_v4());
  std::ranges::copy(address.to_bytes(), result.bytes.begin());
  return result;
}

}  // namespace aifd::net
