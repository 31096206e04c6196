// Connections to upstreams: kept alive, checked before they serve again, made anew where none is
// left.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aifd/chain/destination.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/net/resolver.hpp"
#include "aifd/net/tls.hpp"
#include "aifd/net/upstream_connection.hpp"

namespace aifd::net {

// What connections must have in common to be used for each other. SNI is the host, and the proxy
// follows from host and scheme, since one pool has one set of settings.
struct ServerPool {
  struct Idle {
    std::unique_ptr<UpstreamConnection> connection;
    Clock::time_point until;
  };

  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  const config::OutboundProxy* proxy = nullptr;
  TlsSession session;
  std::vector<Idle> idle;  // the one used last is taken first
};

// One a worker, on its loop's thread. The settings outlive it.
class UpstreamPool final : private Deadline {
 public:
  static constexpr std::size_t kMostIdle = 512;  // for one server
  // How long a connection may rest. A server's own limit is unknown unless it says so by
  // Keep-Alive: 5 s is usual for those written in Python and Node, which are reached in plain HTTP.
  static constexpr std::chrono::seconds kPlainRest{4};
  static constexpr std::chrono::seconds kTlsRest{55};

  // `tls`: null where no upstream is called by https.
  UpstreamPool(asio::io_context& loop, Ticker& ticker, const config::Settings& settings,
               Resolver& resolver, asio::ssl::context* tls);

  ServerPool& server(const chain::UpstreamServer& server);

  // A resting connection that has neither ended nor spoken; null where there is none.
  std::unique_ptr<UpstreamConnection> take_idle(ServerPool& server);

  // A new connection, TLS and proxy included, within TIMEOUT. Its errors are retryable: no byte
  // of a request has been sent.
  Task<Result<std::unique_ptr<UpstreamConnection>>> connect(ServerPool& server,
                                                            chain::Stopper& stopper);

  // Takes back a connection whose answer was read to its end. `keep_alive` is the answer's
  // Keep-Alive field.
  void put_back(ServerPool& server, std::unique_ptr<UpstreamConnection> connection,
                std::string_view keep_alive);

  void close_idle() noexcept;

 private:
  class Attempt;

  void on_deadline() noexcept override;
  Task<Result<void>> open_tunnel(UpstreamConnection& connection, const ServerPool& server);
  Task<Result<void>> shake_hands(UpstreamConnection& connection, ServerPool& server);

  LoopExecutor executor_;
  Ticker& ticker_;
  const config::Settings& settings_;
  Resolver& resolver_;
  asio::ssl::context* tls_;
  std::vector<std::unique_ptr<ServerPool>> servers_;
};

}  // namespace aifd::net
