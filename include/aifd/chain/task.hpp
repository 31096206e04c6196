// The coroutine type of every awaitable function in aifd.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace aifd {

namespace asio = boost::asio;

// One event loop's own executor, named as a concrete type: any_io_executor costs a virtual call
// and a reference count at every suspension.
using LoopExecutor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, LoopExecutor>;

}  // namespace aifd
