// The listening daemon: sockets, workers, threads, drain.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "aifd/net/worker.hpp"

namespace aifd::net {

// Used from one thread, which is none of the workers'.
class Server {
 public:
  // Settings, chain and lifecycle outlive the server.
  Server(const config::Settings& settings, const chain::Chain& chain, Lifecycle& lifecycle);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Binds and listens; nothing is accepted before start(). Errors: the address is in use or not
  // ours, TLS files.
  Result<void> listen();

  // Instead of listen(): takes over a bound, listening Unix socket, for one worker and without TLS.
  // Only with a chain that answers everything itself.
  void listen_on_unix(int unix_socket);

  // "http://127.0.0.1:8000", with the port that was really bound.
  std::string url() const;
  std::uint16_t port() const noexcept { return port_; }

  void start();

  // Asks the workers to accept no more and to finish what runs.
  void drain();
  // Ends what still runs.
  void abort();
  // Whether a worker still serves.
  bool running() const noexcept { return running_ > 0; }

  // True while a thread hangs in the system's name look-up: joining it may take many seconds.
  bool resolver_busy() const { return resolver_.busy(); }

 private:
  void share();
  Result<void> bind(const std::string& host, std::uint16_t port);

  const config::Settings& settings_;
  const chain::Chain& chain_;
  Lifecycle& lifecycle_;
  std::shared_ptr<asio::ssl::context> client_tls_;  // null: no upstream is called by https
  std::shared_ptr<asio::ssl::context> server_tls_;
  std::optional<ProxyHeaders> proxy_headers_;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Resolver resolver_;  // after the workers, whose loops its threads post to: it ends first
  std::vector<std::thread> threads_;
  std::atomic<int> running_{0};
  std::uint16_t port_ = 0;
};

}  // namespace aifd::net
