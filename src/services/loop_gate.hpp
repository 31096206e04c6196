// Posting from another thread to an event loop that may be gone.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <utility>

#include "aifd/chain/task.hpp"

namespace aifd::services {

// Open until its loop is being destroyed, which waits for a post that is under way. May outlive
// the loop.
class LoopGate {
 public:
  explicit LoopGate(LoopExecutor loop) : loop_(loop) {}

  // False: the loop is gone, and what was to be run is destroyed here.
  template <class Function>
  bool post(Function function) {
    const std::scoped_lock lock(mutex_);
    if (!open_) return false;
    asio::post(loop_, std::move(function));
    return true;
  }

  void shut() noexcept {
    const std::scoped_lock lock(mutex_);
    open_ = false;
  }

 private:
  std::mutex mutex_;
  bool open_ = true;
  LoopExecutor loop_;
};

// The loop's own, made at the first call, on the loop's thread.
std::shared_ptr<LoopGate> loop_gate(asio::io_context& loop);

}  // namespace aifd::services
