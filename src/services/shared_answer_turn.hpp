// What the threads share of a shared answer, and one thread's turn at it.
#pragma once

#include <list>
#include <mutex>

#include "aifd/services/shared_answer.hpp"
#include "answer_recording.hpp"
#include "sleeper.hpp"

namespace aifd::services {

enum class WaitsFor { nothing, head, bytes, end };

// A reader's place.
struct SharedAnswer::Seat {
  std::shared_ptr<Bell> bell;
  std::uint64_t position = 0;  // of the next byte to read
  WaitsFor waits_for = WaitsFor::nothing;
  bool out = false;  // reads no more: nobody waits for it
};

// Under the mutex. What is only written by the call's thread is also read there without it.
struct SharedAnswer::State {
  std::mutex mutex;
  std::list<Seat> seats;
  std::size_t present = 0;  // seats that are not out
  bool brought = false;     // begun, supplied or failed
  bool closed = false;      // there are no new readers
  bool deserted = false;    // the last reader has left before the end
  bool recorded = true;     // from its first byte on
  std::optional<SharedHead> head;
  CallProgress progress;
  BodyWindow window;
  CacheEntryPtr entry;  // takes the window's place once all bytes have come
  Rhythm rhythm;
  std::shared_ptr<LoopGate> call_loop;  // null: no call has begun
  std::shared_ptr<Bell> room;           // of the call that waits for it
  std::optional<Result<void>> ended;
};

// Holds the mutex. What must not be done under it, waking and telling others, is done at the end.
class SharedAnswer::Turn {
 public:
  explicit Turn(SharedAnswer& answer)
      : answer_(answer), state_(*answer.state_), lock_(state_.mutex) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  State* operator->() const noexcept { return &state_; }

  // There are no new readers from now on.
  void close() noexcept;
  // Of the thread that brings the answer: wakes those that wait for it.
  void wake(WaitsFor what);
  void finish(Result<void> result);

  // Offsets of the body.
  std::uint64_t end() const noexcept;
  std::string_view ahead_of(const Seat& seat) const noexcept;

  void advance(Seat& seat, std::size_t bytes);
  // Its reader is not waited for any more; the last one ends the call.
  void put_out(Seat& seat);
  void leave(std::list<Seat>::iterator seat);

  // Gives up the recording.
  void stop_recording();
  // Whether no reader is too far behind `newest` for the next piece; cuts off those that are where
  // another has read up to there.
  bool make_room(std::uint64_t newest);
  // Forgets what all have read.
  void drop_read();

 private:
  bool lags(const Seat& seat, std::uint64_t newest) const noexcept;
  void wake(Seat& seat);
  void wake_call() noexcept;

  SharedAnswer& answer_;
  State& state_;
  std::unique_lock<std::mutex> lock_;
  bool rings_ = false;
  bool tells_closed_ = false;
  bool stops_call_ = false;
  std::shared_ptr<Bell> room_;
};

}  // namespace aifd::services
