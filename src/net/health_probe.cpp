#include "aifd/net/health_probe.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "aifd/chain/task.hpp"
#include "aifd/config/base_url.hpp"
#include "aifd/protocol/proxy_protocol.hpp"
#include "blocking_ask.hpp"

namespace aifd::net {
namespace {

using boost::system::error_code;
using tcp = asio::ip::tcp;

template <class Channel>
int ask_health(Channel& channel, const config::BaseUrl& url) {
  const std::string path = url.path.empty() ? "/healthz" : url.path;
  return static_cast<int>(ask(channel, "GET", path, url.authority()).result_int());
}

Error failed(std::string why) {
  return {ErrorKind::upstream_unreachable, ErrorSource::upstream, false, std::move(why)};
}

Result<int> connect_and_ask(const config::BaseUrl& url, bool proxy_protocol,
                            std::chrono::milliseconds timeout) {
  asio::io_context loop;
  tcp::resolver resolver(loop);
  const auto endpoints = resolver.resolve(url.host, std::to_string(url.port));
  tcp::socket socket(loop);
  asio::connect(socket, endpoints);
  limit_waiting(socket.native_handle(), std::chrono::duration_cast<std::chrono::seconds>(timeout));
  if (proxy_protocol) asio::write(socket, asio::buffer(protocol::kUnknownProxyHeader));
  if (!url.tls) return ask_health(socket, url);
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_none);
  asio::ssl::stream<tcp::socket&> tls(socket, context);
  tls.handshake(asio::ssl::stream_base::client);
  return ask_health(tls, url);
}

}  // namespace

Result<int> probe_health(const std::string& text, bool proxy_protocol,
                         std::chrono::milliseconds timeout) {
  const Result<config::BaseUrl> url = config::parse_base_url(text);
  if (!url) {
    return Error{ErrorKind::bad_request, ErrorSource::client, false, url.error().detail};
  }
  try {
    return connect_and_ask(*url, proxy_protocol, timeout);
  } catch (const boost::system::system_error& error) {
    return failed(error.code().message());
  }
}

}  // namespace aifd::net
