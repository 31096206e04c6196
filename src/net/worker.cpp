#include "aifd/net/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include "aifd/base/log.hpp"
#include "aifd/base/this_thread.hpp"

namespace aifd::net {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr std::string_view kOverloaded =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    "Content-Length: 129\r\nConnection: close\r\n\r\n"
    R"({"error":{"message":"aifd has reached MAX_CONNECTIONS; try again in 1s.","type":"server_error","param":null,"code":"overloaded"}})";

std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

Worker::Worker(const Shared& shared)
    : shared_(shared),
      work_(loop_.get_executor()),
      ticker_(loop_),
      pool_(loop_, ticker_, shared.settings, shared.resolver, shared.client_tls),
      calls_(loop_, pool_, shared.settings.timeouts, [this] { end_when_idle(); }),
      random_(seeded()),
      context_{loop_,
               ticker_,
               pool_,
               blocks_,
               calls_,
               shared.settings,
               shared.chain,
               shared.lifecycle,
               shared.server_tls,
               shared.proxy_headers,
               random_} {
  for (const auto& link : shared.chain.links()) link->on_loop_start(loop_.get_executor());
}

Worker::~Worker() = default;

void Worker::add_listener(int listening_socket, const tcp& protocol) {
  Acceptor& acceptor = acceptors_.emplace_back(loop_.get_executor(), protocol, listening_socket);
  acceptor.non_blocking(true);
  asio::co_spawn(loop_, accept_from(acceptor), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

void Worker::run() {
  name_this_thread("aifd-worker");
  loop_.run();
}

Task<void> Worker::accept_from(Acceptor& acceptor) {
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> pause(
      loop_.get_executor());
  while (!draining_) {
    error_code ec;
    Socket socket(loop_.get_executor());
    co_await acceptor.async_accept(socket, asio::redirect_error(kAwait, ec));
    if (!ec) {
      start_session(std::move(socket));
    } else if (!draining_ && ec != asio::error::connection_aborted) {
      // Out of descriptors or memory: they come back as connections end.
      log::warn("cannot accept a connection: {}", ec.message());
      pause.expires_after(kAcceptPause);
      error_code ignored;
      co_await pause.async_wait(asio::redirect_error(kAwait, ignored));
    }
  }
}

void Worker::start_session(Socket socket) {
  if (sessions_.size() >= shared_.most_sessions) {
    refuse(std::move(socket));
    return;
  }
  const auto place = sessions_.insert(sessions_.end(),
                                      std::make_unique<ClientSession>(std::move(socket), context_));
  asio::co_spawn(loop_, (*place)->run(), [this, place](const std::exception_ptr& thrown) {
    if (thrown) {
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& fault) {
        log::error("a connection failed inside aifd: {}", fault.what());
      }
    }
    sessions_.erase(place);
    end_when_idle();
  });
}

void Worker::refuse(Socket socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  if (shared_.server_tls == nullptr) socket.write_some(asio::buffer(kOverloaded), ignored);
  socket.shutdown(Socket::shutdown_send, ignored);
}

void Worker::drain() {
  asio::post(loop_, [this] {
    if (std::exchange(draining_, true)) return;
    for (Acceptor& acceptor : acceptors_) accept_the_waiting(acceptor);
    pool_.close_idle();
    for (const auto& session : sessions_) session->drain();
    end_when_idle();
  });
}

// What the kernel has accepted already would be reset by the listener's end: it is served.
void Worker::accept_the_waiting(Acceptor& acceptor) {
  for (;;) {
    error_code ec;
    Socket socket(loop_.get_executor());
    acceptor.accept(socket, ec);
    if (ec) break;
    start_session(std::move(socket));
  }
  error_code ignored;
  acceptor.close(ignored);
}

void Worker::abort() {
  asio::post(loop_, [this] {
    for (const auto& session : sessions_) session->abort();
    calls_.abort();
  });
}

void Worker::end_when_idle() {
  if (draining_ && sessions_.empty() && calls_.empty()) {
    work_.reset();
    loop_.stop();
  }
}

}  // namespace aifd::net
