#include "aifd/net/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <boost/asio/ip/address.hpp>

namespace aifd::net {
namespace {

using boost::system::error_code;
namespace ssl = asio::ssl;

constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// Where an SSL keeps its TlsSession. The application data's own place is taken: Asio deletes what
// it finds there.
int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int keep_session(SSL* handle, SSL_SESSION* session) {
  auto* owner = static_cast<TlsSession*>(SSL_get_ex_data(handle, session_index()));
  if (owner == nullptr) return 0;
  owner->store(session);
  return 1;  // the reference is ours now
}

Error startup_error(std::string what, const error_code& ec) {
  return {ErrorKind::internal, ErrorSource::aifd, false, std::move(what) + ": " + ec.message()};
}

std::shared_ptr<ssl::context> make_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // 34 KB less for each idle connection
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  return context;
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_server_tls(const std::string& certificate_file,
                                                      const std::string& key_file) {
  auto context = make_context(ssl::context::tls_server);
  error_code ec;
  context->use_certificate_chain_file(certificate_file, ec);
  if (ec) return startup_error("ssl_certfile " + certificate_file, ec);
  context->use_private_key_file(key_file, ssl::context::pem, ec);
  if (ec) return startup_error("ssl_keyfile " + key_file, ec);
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return Error{
        ErrorKind::internal, ErrorSource::aifd, false,
        "ssl_keyfile " + key_file + " does not belong to ssl_certfile " + certificate_file};
  }
  static constexpr std::array<unsigned char, 4> kSessionContext{'a', 'i', 'f', 'd'};
  SSL_CTX_set_session_id_context(context->native_handle(), kSessionContext.data(),
                                 kSessionContext.size());
  return context;
}

Result<std::shared_ptr<ssl::context>> make_client_tls() {
  auto context = make_context(ssl::context::tls_client);
  error_code ec;
  context->set_default_verify_paths(ec);
  if (ec) return startup_error("the system's trusted certificates", ec);
  context->set_verify_mode(ssl::verify_peer, ec);
  if (ec) return startup_error("TLS verification", ec);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(native, keep_session);
  SSL_CTX_set_alpn_protos(native, kAlpn.data(), kAlpn.size());
  return context;
}

void prepare_tls_client(SSL* handle, const std::string& host, TlsSession& session) {
  SSL_set_ex_data(handle, session_index(), &session);
  error_code ec;
  asio::ip::make_address(host, ec);
  X509_VERIFY_PARAM* param = SSL_get0_param(handle);
  if (ec) {
    SSL_set_tlsext_host_name(handle, host.c_str());
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
  }
  if (session.get() != nullptr) SSL_set_session(handle, session.get());
}

std::string describe_tls_failure(SSL* handle, const error_code& ec) {
  const long verified = SSL_get_verify_result(handle);
  if (verified != X509_V_OK) {
    return std::string("its certificate is not accepted: ") +
           X509_verify_cert_error_string(verified);
  }
  return "the TLS handshake failed: " + ec.message();
}

}  // namespace aifd::net
