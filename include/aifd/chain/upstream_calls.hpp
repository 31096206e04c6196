// Calls to upstreams that no client's session makes, since several clients may wait for the answer.
#pragma once

#include <memory>

#include "aifd/chain/detached_exchange.hpp"
#include "aifd/chain/stopper.hpp"

namespace aifd::chain {

// Takes the answer of such a call in a client's place. Called on the call's loop: begin first,
// end, settle last, each exactly once; between begin and end head at most once, then the body's
// pieces.
class AnswerSink {
 public:
  AnswerSink() = default;
  AnswerSink(const AnswerSink&) = delete;
  AnswerSink& operator=(const AnswerSink&) = delete;
  virtual ~AnswerSink() = default;

  // Stopping it ends the call, from now on until end(), on this loop's thread only. `progress` is
  // where the call is, to be looked at until end(), on that thread too.
  virtual void begin(LoopExecutor loop, Stopper& stopper, const Outcome& progress) = 0;

  // The views are valid during the call. `progress` is of the call so far: attempts and when the
  // head came.
  virtual void head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
                    const Outcome& progress) = 0;

  // Not empty; valid during the call. False: wait_for_room() before the next.
  virtual bool piece(std::string_view bytes) = 0;
  // An error ends the call.
  virtual Task<Result<void>> wait_for_room() = 0;

  // The answer came whole, or why not: with no head before it is what to answer instead.
  virtual void end(const Result<void>& result, const Outcome& progress) = 0;

  // What is left to do with a whole answer. The call lasts until it is done, and with it its loop
  // and its stopper.
  virtual Task<void> settle() { co_return; }
};

// One a loop, used on its thread.
class UpstreamCalls {
 public:
  UpstreamCalls() = default;
  UpstreamCalls(const UpstreamCalls&) = delete;
  UpstreamCalls& operator=(const UpstreamCalls&) = delete;
  virtual ~UpstreamCalls() = default;

  // Begins before it returns: the sink's begin() is called, no more.
  virtual void start(std::unique_ptr<DetachedExchange> exchange,
                     std::shared_ptr<AnswerSink> sink) = 0;
};

}  // namespace aifd::chain
