#include "aifd/net/unix_request.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>

#include "blocking_ask.hpp"
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

UnixAnswer ask_on(local::socket& socket, const std::string& method, const std::string& target) {
  http::response<http::string_body> answer = ask(socket, method, target, "localhost");
  return {static_cast<int>(answer.result_int()), std::move(answer.body())};
}

}  // namespace

Result<std::optional<UnixAnswer>> ask_unix_socket(const std::string& path,
                                                  const std::string& method,
                                                  const std::string& target,
                                                  std::chrono::seconds timeout) {
  const std::optional<sockaddr_un> address = unix_address(path);
  if (!address) return failed("is longer than 107 bytes, the most for a socket");
  try {
    asio::io_context loop;
    local::socket socket(loop, local());
    limit_waiting(socket.native_handle(), timeout);
    if (connect_unix(socket.native_handle(), *address) != 0) {
      if (nobody_listens(errno)) return std::optional<UnixAnswer>();
      return failed(std::strerror(errno));
    }
    return std::optional(ask_on(socket, method, target));
  } catch (const boost::system::system_error& error) {
    return failed(error.code().message());
  }
}

}  // namespace aifd::net
