#include "aifd/net/unix_request.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>

#include "one_request.hpp"
#include "unix_address.hpp"

namespace aifd::net {
namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;

Error failed(const std::string& why) {
  return {ErrorKind::upstream_unreachable, ErrorSource::upstream, false, why};
}

bool nobody_listens(int error) {
  return error == ENOENT || error == ENOTDIR || error == ECONNREFUSED;
}

// Owns its socket: when the wait ends early, both go with the loop.
asio::awaitable<OneAnswer> ask_on(local::socket socket, std::string method, std::string target) {
  co_return co_await ask(socket, std::move(method), std::move(target), "localhost");
}

}  // namespace

Result<std::optional<UnixAnswer>> ask_unix_socket(const std::string& path,
                                                  const std::string& method,
                                                  const std::string& target,
                                                  std::chrono::milliseconds timeout) {
  const std::optional<sockaddr_un> address = unix_address(path);
  if (!address) return failed("is longer than 107 bytes, the most for a socket");
  try {
    asio::io_context loop(1);
    local::socket socket(loop, local());
    socket.non_blocking(true);  // connect() is done at once, or the queue of who listens is full
    if (connect_unix(socket.native_handle(), *address) != 0) {
      if (nobody_listens(errno)) return std::optional<UnixAnswer>();
      return failed(std::strerror(errno));
    }
    OneAnswer answer = wait_for(loop, ask_on(std::move(socket), method, target), timeout);
    return std::optional(
        UnixAnswer{static_cast<int>(answer.result_int()), std::move(answer.body())});
  } catch (const boost::system::system_error& error) {
    return failed(error.code().message());
  }
}

}  // namespace aifd::net
