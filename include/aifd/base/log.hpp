// What aifd tells its operator: one line each, on standard error, never blocking an event loop.
#pragma once

#include <spdlog/logger.h>

#include <string_view>

namespace aifd::log {

// Sets up the process's logger; before threads start. Lines go through a bounded queue to a thread
// of their own; while it is full the oldest are dropped, so that a stuck terminal or pipe stops
// nobody. With `journal`, lines carry a <priority> prefix instead of time and colour
// (sd-daemon(3)).
void start(bool journal);
// Writes out what is queued.
void stop();

spdlog::logger& logger();

template <class... Args>
void info(spdlog::format_string_t<Args...> format, Args&&... args) {
  logger().info(format, std::forward<Args>(args)...);
}

template <class... Args>
void warn(spdlog::format_string_t<Args...> format, Args&&... args) {
  logger().warn(format, std::forward<Args>(args)...);
}

template <class... Args>
void error(spdlog::format_string_t<Args...> format, Args&&... args) {
  logger().error(format, std::forward<Args>(args)...);
}

}  // namespace aifd::log
