// The one loop that every answer takes to its client.
#pragma once

#include "aifd/base/clock.hpp"
#include "aifd/base/error.hpp"
#include "aifd/chain/exchange.hpp"
#include "aifd/chain/reply.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::chain {

// The client's side of an answer. Implemented by net over a connection, by tests over a string.
class ResponseSink {
 public:
  ResponseSink() = default;
  ResponseSink(const ResponseSink&) = delete;
  ResponseSink& operator=(const ResponseSink&) = delete;
  virtual ~ResponseSink() = default;

  // Takes the head; it is written together with the first piece, or by flush().
  virtual void begin(const protocol::ResponseHead& head, const protocol::BodyFraming& framing) = 0;

  // Hands the piece to the kernel, as much as it takes at once. False: a rest is left, and flush()
  // must finish it before the piece's bytes go away.
  virtual Result<bool> write(const Piece& piece) = 0;

  // Writes all that is left, waiting as long as the client needs.
  virtual Task<Result<void>> flush() = 0;

  // Waits until then, or until the client has gone (an error).
  virtual Task<Result<void>> wait_until(Clock::time_point when) = 0;
};

// Runs the exchange's edits on the answer, in their order.
Task<Result<Reply>> edited(Exchange& exchange, Reply reply);

// Reads a piece, cuts it where that is wanted, shows it to the taps, waits where one says so,
// writes it: one piece in flight, so that the client's pace is the source's pace. Returns when the
// answer is whole, or with the error that ended it (its source tells whose). A body that broke is
// never finished cleanly.
Task<Result<void>> relay(Exchange& exchange, Reply& reply, ResponseSink& sink);

}  // namespace aifd::chain
