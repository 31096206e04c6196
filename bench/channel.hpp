#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace bench {

// What all connections of one side have in common: a certificate, or whom to trust. Files are PEM.
class Tls {
 public:
  static Tls server(const std::string& certificate_file, const std::string& key_file);
  static Tls client(const std::string& trusted_file);  // the peer must prove to be 127.0.0.1

  SSL* begin(int socket) const;  // the caller owns it

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  explicit Tls(const SSL_METHOD* method);

  std::unique_ptr<SSL_CTX, Free> context_;
  bool accepts_ = false;
};

// A connected socket, with TLS over it or without. It owns the socket.
class Channel {
 public:
  Channel() = default;                  // closed
  Channel(int socket, const Tls* tls);  // nullptr: bytes go as they are
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel() { close(); }

  int socket() const { return socket_; }  // -1: closed
  void close();

  // As send_some and receive_some of sockets.hpp. A buffer must have room for a record (16 KiB):
  // then nothing stays behind in OpenSSL that a poller could not tell of.
  long send(std::string_view bytes);
  long receive(char* buffer, std::size_t size);

  // The last send waits for the peer's part of the handshake, not for room.
  bool waits_for_peer() const { return waits_for_peer_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  int socket_ = -1;
  std::unique_ptr<SSL, Free> ssl_;
  bool waits_for_peer_ = false;
};

}  // namespace bench
