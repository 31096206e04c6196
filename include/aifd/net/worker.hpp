// One event loop on one thread: its listener, its sessions, its upstream connections.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <list>
#include <memory>
#include <random>

#include "aifd/base/lifecycle.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/net/block_pool.hpp"
#include "aifd/net/client_session.hpp"
#include "aifd/net/deadline.hpp"
#include "aifd/net/detached_calls.hpp"
#include "aifd/net/resolver.hpp"
#include "aifd/net/upstream_pool.hpp"

namespace aifd::net {

using Acceptor = asio::basic_socket_acceptor<tcp, LoopExecutor>;

// What all workers share; outlives them.
struct Shared {
  const config::Settings& settings;
  const chain::Chain& chain;
  Lifecycle& lifecycle;
  Resolver& resolver;
  asio::ssl::context* client_tls;  // null: no upstream is called by https
  asio::ssl::context* server_tls;  // null: the listener is plain
  ProxyHeaders* proxy_headers;     // null: connections begin with TLS or a request
  std::size_t most_sessions;       // of one worker
};

class Worker {
 public:
  explicit Worker(const Shared& shared);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Takes over a bound, listening socket. Before run(). A Unix socket goes for one of TCP: once it
  // is there, Asio treats both the same.
  void add_listener(int listening_socket, const tcp& protocol);

  // The thread's body: returns once drained or stopped.
  void run();

  // From any thread. drain: accept no more, let running exchanges finish; abort: end them now.
  void drain();
  void abort();

 private:
  Task<void> accept_from(Acceptor& acceptor);
  void start_session(Socket socket);
  void refuse(Socket socket);
  void accept_the_waiting(Acceptor& acceptor);
  void end_when_idle();

  const Shared& shared_;
  asio::io_context loop_{1};
  asio::executor_work_guard<LoopExecutor> work_;
  Ticker ticker_;
  UpstreamPool pool_;
  BlockPool blocks_;
  DetachedCalls calls_;
  std::mt19937_64 random_;
  SessionContext context_;
  std::list<Acceptor> acceptors_;
  std::list<std::unique_ptr<ClientSession>> sessions_;
  bool draining_ = false;
};

}  // namespace aifd::net
