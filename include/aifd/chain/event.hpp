// One coroutine waits until another, or a handler, says go.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "aifd/chain/task.hpp"

namespace aifd::chain {

// Auto-reset. Used on one loop's thread; at most one waiter. A waiting coroutine's frame is
// destroyed by its loop once the event is gone.
class Event {
 public:
  explicit Event(LoopExecutor executor) : executor_(executor) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes the waiter, from the loop, or lets the next wait() pass at once.
  void set() {
    if (!waiter_) {
      set_ = true;
      return;
    }
    asio::post(executor_, [waiter = std::exchange(waiter_, std::nullopt)]() mutable {
      std::move (*waiter)();
    });
  }

  // The same from a completion handler's end, without the way through the loop's queue.
  void set_from_handler() {
    if (!waiter_) {
      set_ = true;
      return;
    }
    auto waiter = std::exchange(waiter_, std::nullopt);
    std::move (*waiter)();
  }

  void clear() noexcept { set_ = false; }

  Task<void> wait() {
    if (std::exchange(set_, false)) co_return;
    co_await asio::async_initiate<const Token, void()>(
        [this](auto handler) { waiter_.emplace(std::move(handler)); }, token_);
  }

 private:
  using Token = asio::use_awaitable_t<LoopExecutor>;
  using Waiter = asio::async_result<Token, void()>::handler_type;

  static constexpr Token token_{};
  LoopExecutor executor_;
  std::optional<Waiter> waiter_;
  bool set_ = false;
};

}  // namespace aifd::chain
