// UpstreamPool's way to a new connection: name, address, proxy, TLS, all within TIMEOUT.
#include <openssl/ssl.h>

#include <boost/asio/redirect_error.hpp>

#include "aifd/net/connect_race.hpp"
#include "aifd/net/outbound_proxy.hpp"
#include "aifd/net/upstream_pool.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::net {
namespace {

Error connect_error(ErrorKind kind, std::string detail) {
  return {kind, ErrorSource::upstream, true, std::move(detail)};
}

std::string place(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

// One try to connect, under one deadline. It stops when the exchange does, but can also be stopped
// alone: an attempt that timed out may be followed by another.
class UpstreamPool::Attempt final : public chain::Stoppable, private Deadline {
 public:
  Attempt(Ticker& ticker, chain::Stopper& exchange, std::chrono::milliseconds within)
      : Deadline(ticker), exchange_(exchange), within_(within), guard_(exchange, *this) {
    set_after(within);
  }

  chain::Stopper& stopper() noexcept { return own_; }
  void stop() noexcept override { own_.stop(*exchange_.reason()); }

 private:
  void on_deadline() noexcept override {
    own_.stop(connect_error(ErrorKind::upstream_connect_timeout,
                            "The upstream could not be connected to within " +
                                std::to_string(within_.count()) + " ms (TIMEOUT)."));
  }

  chain::Stopper own_;
  chain::Stopper& exchange_;
  std::chrono::milliseconds within_;
  chain::Stopper::Guard guard_;  // last: it calls stop() where the exchange has stopped already
};

Task<Result<std::unique_ptr<UpstreamConnection>>> UpstreamPool::connect(ServerPool& server,
                                                                        chain::Stopper& stopper) {
  Attempt attempt(ticker_, stopper, settings_.timeouts.connect);
  if (stopper.stopped()) co_return *stopper.reason();
  const std::string& host = server.proxy != nullptr ? server.proxy->host : server.host;
  const std::uint16_t port = server.proxy != nullptr ? server.proxy->port : server.port;
  const std::string who =
      (server.proxy != nullptr ? "The proxy " : "The upstream ") + place(host, port);

  const Result<Resolver::Addresses> addresses =
      co_await resolver_.resolve(host, executor_, attempt.stopper());
  if (!addresses) co_return addresses.error();
  std::vector<tcp::endpoint> endpoints;
  for (const asio::ip::address& address : *addresses) endpoints.emplace_back(address, port);

  auto race = std::make_shared<ConnectRace>(executor_, std::move(endpoints));
  error_code ec;
  Socket socket(executor_);
  {
    const chain::Stopper::Guard guard(attempt.stopper(), *race);
    socket = co_await race->run(ec);
  }
  if (attempt.stopper().stopped()) co_return *attempt.stopper().reason();
  if (ec) {
    co_return connect_error(ErrorKind::upstream_unreachable,
                            who + " cannot be reached: " + ec.message() + ".");
  }

  auto connection = std::make_unique<UpstreamConnection>(std::move(socket), ticker_);
  const chain::Stopper::Guard guard(attempt.stopper(), *connection);
  connection->serve(&attempt.stopper());
  Result<void> ready;
  if (server.tls && server.proxy != nullptr) ready = co_await open_tunnel(*connection, server);
  if (ready && server.tls) ready = co_await shake_hands(*connection, server);
  if (attempt.stopper().stopped()) co_return *attempt.stopper().reason();
  if (!ready) co_return ready.error();
  connection->serve(nullptr);
  co_return connection;
}

Task<Result<void>> UpstreamPool::open_tunnel(UpstreamConnection& connection,
                                             const ServerPool& server) {
  const std::string target = place(server.host, server.port);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  const std::string authorization = proxy_authorization(*server.proxy);
  if (!authorization.empty()) request += "Proxy-Authorization: " + authorization + "\r\n";
  request += "\r\n";

  BufferList buffers;
  buffers.add(request);
  if (Result<void> written = co_await connection.write(buffers); !written) {
    co_return connect_error(ErrorKind::upstream_unreachable, written.error().detail);
  }
  const Result<protocol::ResponseHead> head = co_await connection.read_head();
  if (!head) co_return connect_error(ErrorKind::upstream_unreachable, head.error().detail);
  if (head->status / 100 != 2) {
    Error refused = connect_error(ErrorKind::upstream_unreachable,
                                  "The proxy refused the way to " + target + " with status " +
                                      std::to_string(head->status) + " (PROXY).");
    refused.retryable = false;
    co_return refused;
  }
  if (!connection.buffered().empty()) {
    co_return connect_error(ErrorKind::upstream_malformed,
                            "The proxy sent bytes of its own into the way to " + target + ".");
  }
  co_return Result<void>{};
}

Task<Result<void>> UpstreamPool::shake_hands(UpstreamConnection& connection, ServerPool& server) {
  if (tls_ == nullptr) {
    co_return connect_error(ErrorKind::upstream_tls, "No upstream was to be called by https.");
  }
  Stream::Tls& tls = connection.stream().start_tls(*tls_);
  prepare_tls_client(tls.native_handle(), server.host, server.session);
  error_code ec;
  co_await tls.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(kAwait, ec));
  if (ec) {
    Error failed = connect_error(ErrorKind::upstream_tls,
                                 "The upstream " + server.host + " cannot be trusted or reached: " +
                                     describe_tls_failure(tls.native_handle(), ec) + ".");
    failed.retryable = SSL_get_verify_result(tls.native_handle()) == X509_V_OK;
    co_return failed;
  }
  co_return Result<void>{};
}

}  // namespace aifd::net
