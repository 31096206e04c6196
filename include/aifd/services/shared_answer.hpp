// One upstream's answer, read by all who asked for the same while it comes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/base/error.hpp"
#include "aifd/chain/body_source.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/chain/upstream_calls.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/framing.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::services {

class Bell;

// Never changed once a reader has it.
struct SharedHead {
  int status = 0;
  std::string reason;
  std::vector<CacheField> fields;  // the end-to-end ones, in their order
  protocol::BodyFraming framing;   // as the upstream sent it; of a stored answer: its length
  bool event_stream = false;       // by its media type
  bool from_store = false;         // not of a call: whole() has it, and says how old it is
  unsigned attempts = 0;           // at the upstream
  Clock::time_point head_received{};
};

// Of a call's answer: what of it is for those who share it.
SharedHead shared_head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
                       const chain::Outcome& progress);

// The same as views into it.
protocol::ResponseHead head_view(const SharedHead& shared);

// How far a call has come; of one that has not begun, nothing.
struct CallProgress {
  unsigned attempts = 0;
  chain::Phase phase = chain::Phase::links;
};

// One reader of a shared answer, from its first byte on. On one loop's thread, by one coroutine at
// a time; must go before that loop does. A BodySource that gives the past bytes at once and then
// the live ones; of an answer that breaks all that came, and then the call's error. A wait ends
// with the reason of the exchange's stopper as soon as there is one. To destroy it is to leave.
class AnswerReader : public chain::BodySource {
 public:
  // Waits for the head; valid as long as the reader. An error: there was none, and why.
  virtual Task<Result<const SharedHead*>> head() = 0;

  // Waits for the end. Null: the answer is too large to be held whole; the reader is out then, and
  // has an error for a body. An error: it did not end whole.
  virtual Task<Result<CacheEntryPtr>> whole() = 0;

  // As told with the head, and at the end.
  virtual CallProgress progress() const = 0;
};

// Taken from its call on the call's loop; read by any number of readers on loops of their own.
// Brought in one of three ways: a call for which it is the sink, supply() or fail().
//
// While its body is no longer than max_bytes it is recorded from the beginning. Beyond that it is
// passed on only: what all have read is dropped, there are no new readers, and the call waits for
// a reader that is more than max_bytes (or max_behind_bytes, where that is more) behind, unless
// another has read everything: then those that are so far behind are cut.
//
// The call is ended (client_gone) once the last reader has left.
class SharedAnswer final : public chain::AnswerSink,
                           public std::enable_shared_from_this<SharedAnswer> {
 public:
  // How an answer is kept.
  struct Keeping {
    std::vector<CacheField> fields;
    std::chrono::seconds time_to_live{0};  // zero: for ever
  };

  // The functions are called on the call's thread.
  struct Options {
    std::size_t max_bytes = 0;  // of the body: a longer one is not kept
    std::size_t max_behind_bytes = std::size_t{1} << 20;
    // Whether it is to be kept should it end whole; nullopt: no. Empty: it never is.
    std::function<std::optional<Keeping>(const protocol::ResponseHead&)> choose;
    // Puts away a whole one that is to be kept, before any reader can see its end.
    std::function<void(const CacheEntryPtr&)> keep;
    std::function<std::int64_t()> wall_clock = wall_clock_seconds;
    std::function<Clock::time_point()> clock = Clock::now;  // of the rhythm
  };

  // Called once, from any thread, without a lock held: read() gives no more readers.
  using OnClosed = std::function<void(const SharedAnswer&)>;

  // Made by std::make_shared.
  explicit SharedAnswer(Options options, OnClosed on_closed = {});
  ~SharedAnswer() override;

  // From any thread, which is that of the reader's loop. Null: it has ended, all readers had left,
  // or its beginning is gone. Neither `loop` nor `stopper`, the exchange's, goes before the reader.
  std::unique_ptr<AnswerReader> read(LoopExecutor loop, chain::Stopper& stopper);

  // In place of a call: the answer is in the store, or there can be none. From any thread; without
  // effect once it was brought in another way.
  void supply(CacheEntryPtr entry);
  void fail(Error error);

  void begin(LoopExecutor loop, chain::Stopper& stopper, const chain::Outcome& progress) override;
  void head(const protocol::ResponseHead& head, const protocol::BodyFraming& framing,
            const chain::Outcome& progress) override;
  bool piece(std::string_view bytes) override;
  Task<Result<void>> wait_for_room() override;
  void end(const Result<void>& result, const chain::Outcome& progress) override;

  // Whether the upstream has the whole request, and so works at it. On the call's thread; true too
  // for what is not brought by one call.
  bool is_under_way() const noexcept;

  // In place of head(), the pieces and end(): a whole answer at once, which is not kept, of any
  // length. Nothing is copied.
  void end_with(SharedHead head, std::string body);

 private:
  class Reader;
  class Turn;
  struct Seat;
  struct State;

  void stop_call() noexcept;
  CacheEntryPtr finish_recording();
  void keep(const CacheEntryPtr& entry) const noexcept;

  const Options options_;
  const OnClosed on_closed_;
  const std::size_t most_behind_bytes_;
  const std::unique_ptr<State> state_;  // of all threads

  // Of the call's thread, or of who brings the answer in place of a call.
  chain::Stopper* stopper_ = nullptr;  // while the call runs
  const chain::Outcome* call_ = nullptr;
  std::optional<Keeping> keeping_;
  std::vector<std::shared_ptr<Bell>> to_ring_;  // a turn's; here to use its room again
};

}  // namespace aifd::services
