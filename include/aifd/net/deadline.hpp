// Deadlines as time points that one tick per event loop compares: arming one is a store, not a
// timer.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "aifd/base/clock.hpp"
#include "aifd/chain/task.hpp"

namespace aifd::net {

class Ticker;

// Something that must be over by then. Registered with its loop's ticker from construction to
// destruction.
class Deadline {
 public:
  explicit Deadline(Ticker& ticker);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  virtual ~Deadline();

  void set(Clock::time_point at) noexcept { at_ = at; }
  void set_after(Clock::duration delay) noexcept { at_ = Clock::now() + delay; }
  void clear() noexcept { at_ = Clock::time_point::max(); }

 protected:
  // Called on the loop's thread once the time has passed, at most one tick late; the deadline is
  // cleared before.
  virtual void on_deadline() noexcept = 0;

 private:
  friend class Ticker;
  Ticker& ticker_;
  Clock::time_point at_ = Clock::time_point::max();
  Deadline* previous_ = nullptr;
  Deadline* next_ = nullptr;
};

// One a loop. Sleeps while no deadline is registered, so that an idle daemon does not wake.
class Ticker {
 public:
  static constexpr std::chrono::milliseconds kTick{100};

  explicit Ticker(asio::io_context& loop);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  friend class Deadline;
  void add(Deadline& deadline);
  void remove(Deadline& deadline) noexcept;
  void arm();
  void tick() noexcept;

  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> timer_;
  Deadline* first_ = nullptr;
  Deadline* iterator_ = nullptr;  // the next one to look at, kept right by remove()
  bool armed_ = false;
};

}  // namespace aifd::net
