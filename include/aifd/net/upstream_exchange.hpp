// Sends one request up and gives its answer: connections, retries, upload and answer's body.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aifd/chain/event.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/net/upstream_pool.hpp"

namespace aifd::net {

// Lives in its session's frame, beside the Exchange. After send(), whatever came of it, an
// upload under way must be ended, and finish() called, before this is destroyed.
class UpstreamExchange {
 public:
  // `stop_client_read` ends a wait for the request's body.
  UpstreamExchange(chain::Exchange& exchange, UpstreamPool& pool, LoopExecutor executor,
                   const config::Timeouts& timeouts, std::function<void()> stop_client_read);
  UpstreamExchange(const UpstreamExchange&) = delete;
  UpstreamExchange& operator=(const UpstreamExchange&) = delete;
  ~UpstreamExchange() = default;

  // The answer's head and a source of its body; both refer to this object's connection.
  Task<Result<chain::Reply>> send();

  // Whether an upload is under way; end_upload() ends it.
  bool uploading() const noexcept { return upload_ == Upload::running; }
  Task<void> end_upload();
  // Gives the connection back where it can serve again. Not while uploading.
  void finish();

  // After a 101: the connection, with what has been read past the head.
  std::unique_ptr<UpstreamConnection> take_upgraded();

  // Whether the whole request has been sent.
  bool uploaded() const noexcept { return upload_ == Upload::done; }

 private:
  enum class Upload { none, running, done, failed };

  // The client has left: its answer is read on where it comes, but not asked for again.
  bool is_for_nobody() const noexcept { return exchange_.progress.drained != chain::Drained::no; }
  void write_head();
  Task<Result<protocol::ResponseHead>> attempt();
  Task<Result<void>> wait_before_retry();
  // Writes what goes at once, and leaves the rest; whether the body ends with it.
  Result<bool> begin_upload(BufferList& rest);
  void continue_upload(bool whole);
  void start_upload_rest();
  Task<Result<void>> upload_rest();
  void on_upload_end(const Result<void>& result);
  void add_piece(BufferList& buffers, const chain::Piece& piece);
  Result<chain::Reply> make_reply(protocol::ResponseHead head);
  void drop_connection() noexcept;

  chain::Exchange& exchange_;
  chain::Stopper& stopper_;
  UpstreamPool& pool_;
  LoopExecutor executor_;
  const config::Timeouts& timeouts_;
  std::function<void()> stop_client_read_;

  ServerPool* server_ = nullptr;
  std::unique_ptr<UpstreamConnection> connection_;
  std::optional<chain::Stopper::Guard> guard_;
  std::string head_;
  protocol::BodyFraming framing_;  // of the request on its way up, as its head says
  std::array<char, 20> chunk_header_{};

  Upload upload_ = Upload::none;
  bool upload_stopped_ = false;
  chain::Event upload_ended_;

  bool asks_upgrade_ = false;
  bool answer_whole_ = false;
  bool reusable_ = false;
  std::string keep_alive_;  // the answer's field, for the pool
};

}  // namespace aifd::net
