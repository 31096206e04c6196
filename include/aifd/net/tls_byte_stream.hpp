// TLS over any ByteStream, for servers of ours such as Redis; for upstreams see stream.hpp.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "aifd/chain/byte_stream.hpp"
#include "aifd/net/tls.hpp"

namespace aifd::net {

// As chain::ByteStream. connect() verifies the server's certificate, by the context's trust, and
// that it is for the host asked for.
class TlsByteStream final : public chain::ByteStream {
 public:
  // `context`: of make_client_tls().
  TlsByteStream(std::unique_ptr<chain::ByteStream> plain,
                std::shared_ptr<asio::ssl::context> context);

  Task<Result<void>> connect(const std::string& host, std::uint16_t port) override;
  Task<std::size_t> read_some(std::span<char> into, boost::system::error_code& ec) override;
  Task<void> write(std::string_view bytes, boost::system::error_code& ec) override;
  void close() noexcept override { plain_->close(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  Task<void> shake_hands(boost::system::error_code& ec);
  Task<void> send(boost::system::error_code& ec);
  Task<void> receive(boost::system::error_code& ec);

  std::unique_ptr<chain::ByteStream> plain_;
  std::shared_ptr<asio::ssl::context> context_;
  TlsSession session_;
  std::unique_ptr<SSL, Free> ssl_;  // after what it refers to
  BIO* incoming_ = nullptr;         // both owned by ssl_: bytes of the plain stream
  BIO* outgoing_ = nullptr;
  std::string sending_;
  std::array<char, 4096> received_;
};

}  // namespace aifd::net
