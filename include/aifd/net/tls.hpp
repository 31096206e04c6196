// TLS on both sides: the listener's context and the upstreams'.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "aifd/base/error.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::net {

// An upstream's last TLS session, for a shorter handshake next time. One a server, used on one
// thread.
class TlsSession {
 public:
  void store(SSL_SESSION* session) noexcept { session_.reset(session); }  // takes ownership
  SSL_SESSION* get() const noexcept { return session_.get(); }

 private:
  struct Free {
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
  };
  std::unique_ptr<SSL_SESSION, Free> session_;
};

// TLS 1.2 and up with the PEM files given. Errors name the file and what OpenSSL says.
Result<std::shared_ptr<asio::ssl::context>> make_server_tls(const std::string& certificate_file,
                                                            const std::string& key_file);

// Verifies peers against the system's trust (OpenSSL's default paths; SSL_CERT_FILE and
// SSL_CERT_DIR are respected) and keeps sessions for prepare_tls_client.
Result<std::shared_ptr<asio::ssl::context>> make_client_tls();

// Before the handshake with `host`: SNI, the check of its name or address, ALPN, the last session.
// `session` must outlive the connection.
void prepare_tls_client(SSL* ssl, const std::string& host, TlsSession& session);

// What a failed handshake says to a person: the certificate's fault where there is one.
std::string describe_tls_failure(SSL* ssl, const boost::system::error_code& ec);

}  // namespace aifd::net
