#include "aifd/net/tls_byte_stream.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <new>

namespace aifd::net {
namespace {

using boost::system::error_code;

// Why a call on the SSL did not succeed; none where it only wants more bytes.
error_code failure(const SSL* ssl, int result) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return {};
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    default:
      break;
  }
  const auto code = static_cast<int>(ERR_get_error());
  if (code == 0) return asio::ssl::error::unexpected_result;
  return {code, asio::error::get_ssl_category()};
}

}  // namespace

TlsByteStream::TlsByteStream(std::unique_ptr<chain::ByteStream> plain,
                             std::shared_ptr<asio::ssl::context> context)
    : plain_(std::move(plain)),
      context_(std::move(context)),
      ssl_(SSL_new(context_->native_handle())),
      incoming_(BIO_new(BIO_s_mem())),
      outgoing_(BIO_new(BIO_s_mem())) {
  if (!ssl_ || incoming_ == nullptr || outgoing_ == nullptr) throw std::bad_alloc();
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  SSL_set_alpn_protos(ssl_.get(), nullptr, 0);  // the context's are for HTTP
  SSL_set_connect_state(ssl_.get());
}

Task<Result<void>> TlsByteStream::connect(const std::string& host, std::uint16_t port) {
  Result<void> connected = co_await plain_->connect(host, port);
  if (!connected) co_return connected;
  prepare_tls_client(ssl_.get(), host, session_);
  error_code ec;
  co_await shake_hands(ec);
  if (!ec) co_return connected;
  co_return Error{ErrorKind::upstream_tls, ErrorSource::upstream, true,
                  describe_tls_failure(ssl_.get(), ec)};
}

Task<void> TlsByteStream::shake_hands(error_code& ec) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    const error_code failed = result == 1 ? error_code() : failure(ssl_.get(), result);
    co_await send(ec);  // the alert as well, where it failed
    if (failed) ec = failed;
    if (ec || result == 1) co_return;
    co_await receive(ec);
    if (ec) co_return;
  }
}

Task<std::size_t> TlsByteStream::read_some(std::span<char> into, error_code& ec) {
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    if (result == 1) co_return count;
    ec = failure(ssl_.get(), result);
    if (!ec) co_await receive(ec);
    if (ec) co_return 0;
  }
}

Task<void> TlsByteStream::write(std::string_view bytes, error_code& ec) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) {
    co_await send(ec);
    co_return;
  }
  ec = failure(ssl_.get(), result);
  if (!ec) ec = asio::ssl::error::unexpected_result;
}

// What reading produces, such as the answer to a new key, goes with the next write: there is one
// writer.
Task<void> TlsByteStream::send(error_code& ec) {
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(outgoing_, &bytes);
  if (count <= 0) co_return;
  sending_.assign(bytes, static_cast<std::size_t>(count));
  BIO_reset(outgoing_);
  co_await plain_->write(sending_, ec);
}

Task<void> TlsByteStream::receive(error_code& ec) {
  const std::size_t count = co_await plain_->read_some(received_, ec);
  if (!ec) BIO_write(incoming_, received_.data(), static_cast<int>(count));
}

}  // namespace aifd::net
