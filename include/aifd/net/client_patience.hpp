// How long a client may let its connection wait, and what becomes of the connection then.
#pragma once

#include "aifd/base/clock.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/net/client_input.hpp"
#include "aifd/net/deadline.hpp"
#include "aifd/net/stream.hpp"

namespace aifd::net {

// Of one connection. At most one thing is expected at a time: the last that was named.
class ClientPatience final : private Deadline {
 public:
  // Stream and input outlive it. `timeout` is CLIENT_TIMEOUT.
  ClientPatience(Ticker& ticker, Stream& stream, ClientInput& input, Clock::duration timeout);

  // What stands before the first head: a connection that does not end it is closed.
  void expect_opening() noexcept;
  // An idle connection first gives its buffers back and is closed in the end. Of a head that has
  // begun and does not end the read is ended: see was_late().
  void expect_head() noexcept;
  // More of a body, from now on: the read is ended, and that exchange stopped (null: none).
  void expect_body(Clock::time_point now, chain::Stopper* exchange) noexcept;
  // The client's end, after what it still sends: the read is ended.
  void expect_end(Clock::duration most) noexcept;
  // The close_notify of a TLS peer: the connection is closed.
  void expect_goodbye() noexcept;
  // Nothing of the client, so it cannot be late.
  void expect_nothing() noexcept;

  // Of the last head that was expected.
  bool was_late() const noexcept { return late_; }

  // Shutting down: where a head is expected, the connection ends now, or has a last moment for one
  // that has begun.
  void drain() noexcept;

 private:
  // idle: a head, with buffers at hand; head: one that is due.
  enum class Expected { nothing, idle, head, body, goodbye };

  void on_deadline() noexcept override;

  Stream& stream_;
  ClientInput& input_;
  Clock::duration timeout_;
  chain::Stopper* exchange_ = nullptr;  // whose body is expected
  Expected expected_ = Expected::nothing;
  bool late_ = false;
};

}  // namespace aifd::net
