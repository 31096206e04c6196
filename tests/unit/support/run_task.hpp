// Runs a coroutine to its end on an event loop. A task that would have to wait for something that
// cannot come in a unit test fails the test.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "aifd/chain/task.hpp"

namespace aifd::test {

// What a spawned task came to, as far as it did.
template <class T>
class Running {
 public:
  Running(asio::io_context& loop, Task<T> task) {
    asio::co_spawn(loop.get_executor(), std::move(task), [this](std::exception_ptr error, T value) {
      error_ = error;
      value_.emplace(std::move(value));
    });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool finished() const noexcept { return value_.has_value(); }

  T take() {
    if (!finished()) throw std::runtime_error("the task did not finish: it waits for something");
    if (error_) std::rethrow_exception(error_);
    return *std::move(value_);
  }

 private:
  std::exception_ptr error_;
  std::optional<T> value_;
};

template <>
class Running<void> {
 public:
  Running(asio::io_context& loop, Task<void> task) {
    asio::co_spawn(loop.get_executor(), std::move(task), [this](std::exception_ptr error) {
      error_ = error;
      finished_ = true;
    });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  bool finished() const noexcept { return finished_; }

  void take() {
    if (!finished_) throw std::runtime_error("the task did not finish: it waits for something");
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
  bool finished_ = false;
};

// On a loop that others hold too.
template <class T>
T run_task(asio::io_context& loop, Task<T> task) {
  Running<T> running(loop, std::move(task));
  loop.restart();
  loop.poll();
  return running.take();
}

// On a loop of its own. The loop goes last, with the frame of a task that did not finish.
template <class T>
T run_task(Task<T> task) {
  asio::io_context loop;
  return run_task(loop, std::move(task));
}

}  // namespace aifd::test
