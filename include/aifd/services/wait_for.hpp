// For who has no event loop.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "aifd/chain/task.hpp"

namespace aifd::services {

// What the task gives, run on a loop that ends with it. Blocks.
template <class T>
T wait_for(Task<T> task) {
  asio::io_context loop(1);
  std::optional<T> result;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& thrown, T value) {
    failure = thrown;
    result = std::move(value);
    loop.stop();  // a connection to Redis would go on
  });
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return *std::move(result);
}

}  // namespace aifd::services
