// Writes an answer to the client's connection, framed for that client; for one who has left it
// lets the rest go, where the exchange's answer is to be read on (CLIENT_GONE).
#pragma once

#include <array>
#include <string>

#include "aifd/chain/exchange.hpp"
#include "aifd/chain/relay.hpp"
#include "aifd/net/deadline.hpp"
#include "aifd/net/stream.hpp"
#include "aifd/protocol/head_writer.hpp"

namespace aifd::net {

class ClientSink final : public chain::ResponseSink, private chain::Stoppable, private Deadline {
 public:
  struct Options {
    unsigned client_version_minor = 1;
    bool keep_alive = true;                     // wanted by the client, and possible
    std::chrono::milliseconds write_timeout{};  // for one write that the client does not take
  };

  ClientSink(Stream& stream, LoopExecutor executor, chain::Exchange& exchange, Ticker& ticker,
             Options options);

  void begin(const protocol::ResponseHead& head, const protocol::BodyFraming& framing) override;
  Result<bool> write(const chain::Piece& piece) override;
  Task<Result<void>> flush() override;
  Task<Result<void>> wait_until(Clock::time_point when) override;

  // No answer's byte has been handed to the kernel: another answer may still take its place.
  bool untouched() const noexcept { return untouched_; }
  // Whether the connection may serve another request after this answer; settled by begin().
  bool keeps_alive() const noexcept { return options_.keep_alive; }
  void close_after() noexcept { options_.keep_alive = false; }

  // The client has left. True: the answer is taken all the same from now on, within the exchange's
  // bounds, and goes nowhere; the connection is closed. False: nobody needs it.
  bool go_on_alone() noexcept;
  bool alone() const noexcept { return alone_; }
  chain::Phase left_in() const noexcept { return left_in_; }  // where the client left it alone

  // Closes the connection before its answer is complete, so that the client can tell.
  void cut() noexcept;

 private:
  void stop() noexcept override;
  void on_deadline() noexcept override;
  protocol::BodyFraming framing_for_client(const protocol::BodyFraming& framing);
  std::size_t unsent() const noexcept;
  Result<bool> drop(std::size_t bytes) noexcept;
  Error write_error() const;

  Stream& stream_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> pace_;
  chain::Exchange& exchange_;
  chain::Stopper& stopper_;
  Options options_;
  std::string head_;
  std::array<char, 20> chunk_header_{};
  BufferList pending_;
  bool chunked_ = false;
  bool ends_by_close_ = false;  // the client can tell a cut from the end by nothing but a reset
  bool untouched_ = true;
  bool alone_ = false;
  chain::Phase left_in_ = chain::Phase::links;
  std::size_t piece_bytes_ = 0;  // of the piece that is being written
};

}  // namespace aifd::net
