// From the first signal to the last answer.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>

#include "aifd/net/server.hpp"

namespace aifd::app {

// Blocks SIGTERM, SIGINT and SIGUSR1 for this thread and those it starts, so that who waits here
// gets them; ignores SIGPIPE and SIGXFSZ. Made before any thread.
class Signals {
 public:
  Signals();

  // Waits for the first signal to end. At each SIGUSR1 until then the log files are opened anew.
  void wait(const std::function<void()>& reopen_logs) const;
  // Whether another one to end came within the time given.
  bool wait_for(std::chrono::milliseconds time) const;

 private:
  sigset_t set_{};
};

// After the first signal: the server accepts no more and finishes what runs, for at most
// `drain_timeout`; a second signal ends it at once.
void drain(net::Server& server, const Signals& signals, std::chrono::milliseconds drain_timeout);

}  // namespace aifd::app
