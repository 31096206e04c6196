// What all connections to one Redis server share: where it is, how long to wait for it, and what
// the log was told about it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "aifd/chain/byte_stream.hpp"
#include "aifd/config/redis_url.hpp"
#include "aifd/services/redis_reply.hpp"

namespace aifd::services {

// Why a server cannot be used. `what` is for a person and holds no secret.
struct RedisTrouble {
  std::string what;
  bool refused = false;  // it answers, and refuses: waiting does not help, an operator must act
};

struct RedisOptions {
  config::RedisUrl url;
  // Within which the server must answer a PING, or else it counts as away: a caller waits no
  // longer for it than that.
  std::chrono::milliseconds budget{20};
  // For a name, a handshake and a log-in, in the background.
  std::chrono::milliseconds connect_budget{1000};
  // A reply that is overdue is waited for so much longer while the server sends: it stands behind a
  // large one, or is one.
  std::chrono::milliseconds patience{0};
  std::size_t most_reply_bytes = RedisReplyReader::kMostBytes;
  // What happens while it is away, in the log: "limits are counted by this daemon alone".
  std::string meanwhile;
  // Told all that the log otherwise is, from any thread; empty: the log is.
  std::function<void(const std::string&)> warn;
  // Puts TLS over a connection: for a rediss:// URL, not used for others.
  chain::WrapByteStream wrap;
};

// Thread-safe.
class RedisServer {
 public:
  explicit RedisServer(RedisOptions options);  // throws where it takes TLS and there is none
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  const RedisOptions& options() const noexcept { return options_; }

  std::unique_ptr<chain::ByteStream> make_stream(LoopExecutor loop) const;

  // Whether a name is being looked up: see TcpStream::LookUps.
  bool looking_up() const noexcept { return look_ups_->load() > 0; }

  // A connection went, tried again in vain, is back, or ends while it is away. The log hears of the
  // first that goes and of the last that is back, and once between them of a refusal.
  void went(const RedisTrouble& trouble);
  void still_away(const RedisTrouble& trouble);
  void came_back();
  void ended_away();

  // It answers, but not what was asked for, and then does again. The log hears of each change.
  void refused_command(std::string_view error);
  void served_command();

  // Why it cannot be used at the moment, for a person and without a secret; empty: it can.
  std::string trouble() const;

  void warn(const std::string& line) const;

 private:
  void tell(const RedisTrouble& trouble) const;
  void tell_of_return(std::string_view what) const;

  const RedisOptions options_;
  const std::shared_ptr<std::atomic<int>> look_ups_ = std::make_shared<std::atomic<int>>(0);
  mutable std::mutex mutex_;  // of the next four; taken where the state changes, and by trouble()
  int away_ = 0;              // connections
  bool told_of_refusal_ = false;
  std::string why_away_;     // the last one went
  std::string why_refused_;  // the last command was
  std::atomic<bool> refuses_commands_{false};
};

// An error's text as a log line can hold it: printable ASCII, and not long.
std::string printable(std::string_view text);

}  // namespace aifd::services
