#include "aifd/net/proxy_headers.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>

#include "aifd/base/log.hpp"

namespace aifd::net {
namespace {

using Header = std::optional<protocol::ProxyHeader>;

constexpr std::chrono::minutes kWarnEvery{1};

// Peeks, and takes what is sure to be the header's: what follows is for the handshake or the first
// head. nullopt: the connection ended first.
Task<Result<Header>> take_header(Socket& socket) {
  std::array<char, protocol::kMaxProxyHeaderBytes> bytes;
  std::size_t taken = 0;
  for (;;) {
    error_code ec;
    const auto space = asio::buffer(bytes) + taken;
    const std::size_t seen = socket.receive(space, Socket::message_peek, ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
      co_await socket.async_wait(Socket::wait_read, asio::redirect_error(kAwait, ec));
      if (ec) co_return Header{};
      continue;
    }
    if (ec) co_return Header{};
    const Result<Header> header = protocol::read_proxy_header({bytes.data(), taken + seen});
    if (!header) co_return header.error();
    const std::size_t ours = *header ? (*header)->bytes - taken : seen;
    taken += socket.receive(asio::buffer(space, ours), 0, ec);
    if (ec || *header) co_return ec ? Header{} : *header;
  }
}

}  // namespace

Task<std::optional<IpAddress>> ProxyHeaders::read_peer(Socket& socket, IpAddress peer) {
  const Result<Header> header = co_await take_header(socket);
  if (!header) warn_of_malformed(peer, header.error().detail);
  if (!header || !*header) co_return std::nullopt;
  co_return believed(peer, **header);
}

IpAddress ProxyHeaders::believed(const IpAddress& peer, const protocol::ProxyHeader& header) {
  if (!header.source) return peer;
  if (trusted_proxies_.contains(peer)) return header.source->address;
  if (!untrusted_named_.exchange(true)) {
    log::warn(
        "{} sends PROXY protocol headers, but is not in TRUSTED_PROXIES: their addresses are not "
        "believed, and {} itself counts as the caller. This is said once.",
        peer.to_string(), peer.to_string());
  }
  return peer;
}

void ProxyHeaders::warn_of_malformed(const IpAddress& peer, const std::string& reason) {
  const Clock::time_point now = Clock::now();
  Clock::rep due = next_warning_;
  if (now.time_since_epoch().count() < due) return;
  const Clock::rep next = (now + kWarnEvery).time_since_epoch().count();
  if (!next_warning_.compare_exchange_strong(due, next)) return;
  log::warn(
      "A connection of {} was closed, since it does not begin with a good PROXY protocol header: "
      "{}. Let the proxy send them (nginx: proxy_protocol on; HAProxy: send-proxy-v2), or set "
      "PROXY_PROTOCOL=false. This is said once a minute at most.",
      peer.to_string(), reason);
}

}  // namespace aifd::net
