// One request on a connection of its own, for commands, which have no loop and wait for it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace aifd::net {

namespace http = boost::beast::http;

using OneAnswer = http::response<http::string_body>;

// The answer's body may be of any size. Throws system_error.
template <class Channel>
boost::asio::awaitable<OneAnswer> ask(Channel& channel, std::string method, std::string target,
                                      std::string host) {
  http::request<http::empty_body> request;
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  co_await http::async_write(channel, request, boost::asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  co_await http::async_read(channel, buffer, parser, boost::asio::use_awaitable);
  co_return parser.release();
}

// Runs the loop until the conversation ends; throws what it throws, and timed_out. In the latter
// case its frame lives until the loop ends.
inline OneAnswer wait_for(boost::asio::io_context& loop,
                          boost::asio::awaitable<OneAnswer> conversation,
                          std::chrono::milliseconds timeout) {
  std::optional<OneAnswer> answer;
  std::exception_ptr failure;
  boost::asio::co_spawn(loop, std::move(conversation),
                        [&](const std::exception_ptr& thrown, OneAnswer made) {
                          failure = thrown;
                          answer = std::move(made);
                        });
  loop.run_for(timeout);
  if (failure) std::rethrow_exception(failure);
  if (!answer) throw boost::system::system_error(boost::asio::error::timed_out);
  return *std::move(answer);
}

}  // namespace aifd::net
