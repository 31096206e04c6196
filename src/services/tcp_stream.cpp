#include "aifd/services/tcp_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "aifd/base/clock.hpp"

namespace aifd::services {
namespace {

using boost::system::error_code;

using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;

constexpr asio::use_awaitable_t<LoopExecutor> kAwait{};

// So that one address that swallows everything leaves time for the next.
constexpr std::chrono::milliseconds kEachAddress{300};

Error unreachable(std::string why) {
  return {ErrorKind::upstream_unreachable, ErrorSource::upstream, true, std::move(why)};
}

// Also ends with its coroutine's frame, where the loop is destroyed first.
class Counted {
 public:
  explicit Counted(std::shared_ptr<TcpStream::LookUps> counter) : counter_(std::move(counter)) {
    ++*counter_;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*counter_; }

 private:
  std::shared_ptr<TcpStream::LookUps> counter_;
};

}  // namespace

TcpStream::TcpStream(LoopExecutor loop, std::shared_ptr<LookUps> look_ups)
    : loop_(loop), look_ups_(std::move(look_ups)), resolver_(loop), socket_(loop) {}

Task<TcpStream::Endpoints> TcpStream::resolve(const std::string& host, std::uint16_t port,
                                              error_code& ec) {
  const asio::ip::address literal = asio::ip::make_address(host, ec);
  if (!ec) co_return Endpoints{{literal, port}};
  const Counted counted(look_ups_);
  const auto found = co_await resolver_.async_resolve(
      host, std::to_string(port), tcp::resolver::numeric_service, asio::redirect_error(kAwait, ec));
  Endpoints endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

Task<Result<void>> TcpStream::connect(const std::string& host, std::uint16_t port) {
  error_code ec;
  const Endpoints endpoints = co_await resolve(host, port, ec);
  if (ec) co_return unreachable("its name is not resolved: " + ec.message());
  ec = asio::error::host_not_found;
  for (const tcp::endpoint& endpoint : endpoints) {
    if (closed_) break;
    ec = co_await try_address(endpoint);
    if (!ec) break;
  }
  if (closed_) co_return unreachable("given up");
  if (ec) co_return unreachable(ec.message());
  error_code ignored;  // a socket that died already fails at its first read
  socket_.set_option(tcp::no_delay(true), ignored);
  co_return Result<void>();
}

// Whichever ends first, the attempt or its time, cancels the other; both have ended afterwards.
Task<error_code> TcpStream::try_address(const tcp::endpoint& endpoint) {
  error_code ignored;
  socket_.close(ignored);
  Timer time(loop_);
  time.expires_after(kEachAddress);
  const auto [order, connected, timed] =
      co_await asio::experimental::make_parallel_group(
          socket_.async_connect(endpoint, asio::deferred), time.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), kAwait);
  if (order[0] == 1 && connected) co_return asio::error::timed_out;
  co_return connected;
}

Task<std::size_t> TcpStream::read_some(std::span<char> into, error_code& ec) {
  co_return co_await socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                             asio::redirect_error(kAwait, ec));
}

Task<void> TcpStream::write(std::string_view bytes, error_code& ec) {
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::redirect_error(kAwait, ec));
}

void TcpStream::close() noexcept {
  closed_ = true;
  error_code ignored;
  resolver_.cancel();
  socket_.close(ignored);
}

}  // namespace aifd::services
