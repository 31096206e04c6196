// One request on a connection of its own, waited for: for commands, outside of any loop.
#pragma once

#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <string>
#include <utility>

namespace aifd::net {

namespace http = boost::beast::http;

// The kernel's own time limit of a blocking socket, for each read and write: simple, and enough for
// one request.
inline void limit_waiting(int descriptor, std::chrono::seconds timeout) noexcept {
  const timeval limit{timeout.count(), 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// Throws system_error.
template <class Channel>
http::response<http::string_body> ask(Channel& channel, const std::string& method,
                                      const std::string& target, const std::string& host) {
  http::request<http::empty_body> request;
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, host);
  request.set(http::field::connection, "close");
  http::write(channel, request);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  http::read(channel, buffer, parser);
  return parser.release();
}

}  // namespace aifd::net
