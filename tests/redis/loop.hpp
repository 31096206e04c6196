// An event loop that a test runs by hand, and what its coroutines came to.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "aifd/chain/task.hpp"

namespace aifd::test {

class Loop {
 public:
  template <class T>
  using Pending = std::shared_ptr<std::optional<T>>;

  asio::io_context& context() noexcept { return context_; }
  LoopExecutor executor() noexcept { return context_.get_executor(); }

  template <class T>
  Pending<T> start(Task<T> task) {
    auto pending = std::make_shared<std::optional<T>>();
    asio::co_spawn(context_, std::move(task), [pending](std::exception_ptr thrown, T value) {
      if (thrown) std::rethrow_exception(thrown);
      pending->emplace(std::move(value));
    });
    return pending;
  }

  // Everything that can be done without waiting.
  void poll() {
    context_.restart();
    context_.poll();
  }

  // Until it holds, however slow the machine; a minute means never.
  template <class Condition>
  void run_until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never comes");
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(50));
    }
  }

  template <class T>
  T run(Task<T> task) {
    const Pending<T> pending = start(std::move(task));
    run_until([&] { return pending->has_value(); });
    return std::move(**pending);
  }

 private:
  asio::io_context context_{1};
};

}  // namespace aifd::test
