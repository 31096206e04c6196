// A coroutine's wait for something that happens on another thread.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>

#include "aifd/base/clock.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/chain/task.hpp"
#include "loop_gate.hpp"

namespace aifd::services {

// Wakes a sleeper, from any thread; may outlive it and its loop.
class Bell {
 public:
  explicit Bell(std::shared_ptr<LoopGate> gate) : gate_(std::move(gate)) {}

  static void ring(std::shared_ptr<Bell> bell);

 private:
  friend class Sleeper;
  using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor>;

  const std::shared_ptr<LoopGate> gate_;
  Timer* timer_ = nullptr;  // the sleeper's, on its loop's thread only; null once that is gone
};

// On its loop's thread, and gone before the loop. A bell that rings between a look at what is
// waited for and the sleep is not lost: it comes through the loop. One that rings when nobody
// sleeps may end the next sleep early.
class Sleeper final : private chain::Stoppable {
 public:
  explicit Sleeper(LoopExecutor loop);
  ~Sleeper() override { bell_->timer_ = nullptr; }

  const std::shared_ptr<Bell>& bell() const noexcept { return bell_; }

  // Until the bell rings or the stopper stops, which is for the caller to tell.
  Task<void> sleep(chain::Stopper& stopper);

 private:
  void stop() noexcept override { timer_.cancel(); }

  Bell::Timer timer_;
  const std::shared_ptr<Bell> bell_;
};

}  // namespace aifd::services
