#include "channel.hpp"

#include <openssl/err.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "sockets.hpp"

namespace bench {
namespace {

void expect(int result, const std::string& what) {
  if (result == 1) return;
  die(what + ": " + ERR_error_string(ERR_get_error(), nullptr));
}

}  // namespace

Tls::Tls(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  if (!context_) die("SSL_CTX_new failed");
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
}

Tls Tls::server(const std::string& certificate_file, const std::string& key_file) {
  Tls tls(TLS_server_method());
  tls.accepts_ = true;
  SSL_CTX* context = tls.context_.get();
  expect(SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()), certificate_file);
  expect(SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM), key_file);
  static constexpr unsigned char kSessions[] = "bench";
  SSL_CTX_set_session_id_context(context, kSessions, sizeof(kSessions));
  return tls;
}

Tls Tls::client(const std::string& trusted_file) {
  Tls tls(TLS_client_method());
  SSL_CTX* context = tls.context_.get();
  expect(SSL_CTX_load_verify_locations(context, trusted_file.c_str(), nullptr), trusted_file);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return tls;
}

SSL* Tls::begin(int socket) const {
  SSL* ssl = SSL_new(context_.get());
  if (ssl == nullptr || SSL_set_fd(ssl, socket) != 1) die("SSL_new failed");
  if (accepts_) {
    SSL_set_accept_state(ssl);
  } else {
    SSL_set_connect_state(ssl);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
  }
  return ssl;
}

Channel::Channel(int socket, const Tls* tls)
    : socket_(socket), ssl_(tls == nullptr ? nullptr : tls->begin(socket)) {}

Channel::Channel(Channel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), ssl_(std::move(other.ssl_)) {}

Channel& Channel::operator=(Channel&& other) noexcept {
  close();
  socket_ = std::exchange(other.socket_, -1);
  ssl_ = std::move(other.ssl_);
  waits_for_peer_ = false;
  return *this;
}

void Channel::close() {
  if (socket_ < 0) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ssl_.reset();
  ERR_clear_error();
  ::close(std::exchange(socket_, -1));
}

long Channel::send(std::string_view bytes) {
  if (!ssl_) return send_some(socket_, bytes);
  waits_for_peer_ = false;
  if (bytes.empty()) return 0;
  std::size_t sent = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent);
  if (result == 1) return static_cast<long>(sent);
  const int error = SSL_get_error(ssl_.get(), result);
  waits_for_peer_ = error == SSL_ERROR_WANT_READ;
  return waits_for_peer_ || error == SSL_ERROR_WANT_WRITE ? 0 : -2;
}

long Channel::receive(char* buffer, std::size_t size) {
  if (!ssl_) return receive_some(socket_, buffer, size);
  std::size_t received = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), buffer, size, &received);
  if (result == 1) return static_cast<long>(received);
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      return -2;
  }
}

}  // namespace bench
