#include "aifd/net/health_probe.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "aifd/config/base_url.hpp"
#include "aifd/protocol/proxy_protocol.hpp"
#include "one_request.hpp"

namespace aifd::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using asio::use_awaitable;

Error failed(std::string why) {
  return {ErrorKind::upstream_unreachable, ErrorSource::upstream, false, std::move(why)};
}

asio::awaitable<OneAnswer> connect_and_ask(asio::io_context& loop, config::BaseUrl url,
                                           bool proxy_protocol) {
  const std::string path = url.path.empty() ? "/healthz" : url.path;
  tcp::resolver resolver(loop);
  const auto endpoints =
      co_await resolver.async_resolve(url.host, std::to_string(url.port), use_awaitable);
  tcp::socket socket(loop);
  co_await asio::async_connect(socket, endpoints, use_awaitable);
  if (proxy_protocol) {
    co_await asio::async_write(socket, asio::buffer(protocol::kUnknownProxyHeader), use_awaitable);
  }
  if (!url.tls) co_return co_await ask(socket, "GET", path, url.authority());
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_verify_mode(asio::ssl::verify_none);
  asio::ssl::stream<tcp::socket&> tls(socket, context);
  co_await tls.async_handshake(asio::ssl::stream_base::client, use_awaitable);
  co_return co_await ask(tls, "GET", path, url.authority());
}

}  // namespace

Result<int> probe_health(const std::string& text, bool proxy_protocol,
                         std::chrono::milliseconds timeout) {
  const Result<config::BaseUrl> url = config::parse_base_url(text);
  if (!url) {
    return Error{ErrorKind::bad_request, ErrorSource::client, false, url.error().detail};
  }
  try {
    asio::io_context loop(1);
    const OneAnswer answer = wait_for(loop, connect_and_ask(loop, *url, proxy_protocol), timeout);
    return static_cast<int>(answer.result_int());
  } catch (const boost::system::system_error& error) {
    return failed(error.code().message());
  }
}

}  // namespace aifd::net
