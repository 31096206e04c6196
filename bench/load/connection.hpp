#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "channel.hpp"
#include "load/options.hpp"
#include "load/report.hpp"
#include "load/verifier.hpp"
#include "message_reader.hpp"
#include "sockets.hpp"

namespace bench {

// One client: asks, reads and checks the answer, keeps the connection if it may.
class Connection {
 public:
  // `tls` may be nullptr.
  Connection(const Options& options, const Tls* tls, Poller& poller, Report& report);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a request; its times count from `due`.
  void ask(std::int64_t due);

  // What the poller said of the socket.
  void on_events(std::uint32_t events, std::string& buffer);

  bool busy() const { return busy_; }
  bool answering() const { return busy_ && first_byte_seen_; }
  bool open() const { return channel_.socket() >= 0; }
  void fail(const std::string& message);

 private:
  void send_rest();
  void read(std::string& buffer);
  void take(std::string_view bytes);
  void finish();
  void watch(std::uint32_t events);
  void drop();

  const Options& options_;
  const Tls* tls_;
  Poller& poller_;
  Report& report_;
  std::unique_ptr<Verifier> verifier_;
  MessageReader reader_{MessageReader::Kind::response};
  std::string request_;
  std::size_t id_place_;
  std::size_t sent_ = 0;
  Channel channel_;
  std::uint32_t watched_ = 0;
  std::int64_t due_ = 0;
  bool busy_ = false;
  bool first_byte_seen_ = false;
};

}  // namespace bench
