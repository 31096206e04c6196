#include "aifd/net/tunnel.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <memory>
#include <optional>

namespace aifd::net {
namespace {

constexpr std::size_t kPieceBytes = 16 * 1024;

class Tunnel final : public chain::Stoppable {
 public:
  Tunnel(Stream& client, ClientInput& input, UpstreamConnection& upstream, LoopExecutor executor,
         std::chrono::milliseconds idle)
      : client_(client), input_(input), upstream_(upstream), idle_(idle), up_ended_(executor) {}

  Task<TunnelEnd> run(LoopExecutor executor) {
    expect_bytes();
    asio::co_spawn(executor, send_up(), [this](const std::exception_ptr&) {
      up_running_ = false;
      upstream_.stop();
      up_ended_.set();
    });
    co_await send_down();
    stop();
    while (up_running_) co_await up_ended_.wait();
    end_.ended_by = ended_by_.value_or(ErrorSource::aifd);
    co_return end_;
  }

  void stop() noexcept override {
    upstream_.stop();
    client_.close();
  }

 private:
  void expect_bytes() { upstream_.expect_within(idle_, ErrorKind::upstream_idle_timeout); }

  Task<void> send_up() {
    const auto piece = std::make_unique<std::array<char, kPieceBytes>>();
    for (;;) {
      error_code ec;
      const std::size_t count = co_await input_.read_raw(*piece, ec);
      if (ec) break;
      end_.bytes_up += count;
      expect_bytes();
      BufferList buffers;
      buffers.add({piece->data(), count});
      if (!co_await upstream_.write(buffers)) co_return;
    }
    if (!ended_by_) ended_by_ = ErrorSource::client;
  }

  Task<void> send_down() {
    for (;;) {
      const std::span<char> bytes = upstream_.buffered();
      if (!bytes.empty()) {
        end_.bytes_down += bytes.size();
        BufferList buffers;
        buffers.add({bytes.data(), bytes.size()});
        error_code ec;
        client_.try_write(buffers, ec);
        if (!ec) co_await client_.write(buffers, ec);
        if (ec) break;
        upstream_.consume(bytes.size());
      }
      upstream_.consume_all(false);
      expect_bytes();
      const Result<bool> more = co_await upstream_.fill();
      if (!more || !*more) {
        const bool silent = !more && more.error().kind == ErrorKind::upstream_idle_timeout;
        if (!ended_by_ && !silent) ended_by_ = ErrorSource::upstream;
        co_return;
      }
    }
    if (!ended_by_) ended_by_ = ErrorSource::client;
  }

  Stream& client_;
  ClientInput& input_;
  UpstreamConnection& upstream_;
  std::chrono::milliseconds idle_;
  chain::Event up_ended_;
  bool up_running_ = true;
  std::optional<ErrorSource> ended_by_;
  TunnelEnd end_;
};

}  // namespace

Task<TunnelEnd> run_tunnel(Stream& client, ClientInput& input, UpstreamConnection& upstream,
                           chain::Stopper& stopper, LoopExecutor executor,
                           std::chrono::milliseconds idle) {
  Tunnel tunnel(client, input, upstream, executor, idle);
  const chain::Stopper::Guard guard(stopper, tunnel);
  co_return co_await tunnel.run(executor);
}

}  // namespace aifd::net
