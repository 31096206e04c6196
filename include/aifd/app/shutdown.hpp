// From the first signal to the last answer.
#pragma once

#include <csignal>

#include "aifd/net/server.hpp"

namespace aifd::app {

// Blocks SIGTERM and SIGINT for this thread and those it starts, so that wait_and_drain gets them;
// ignores SIGPIPE and SIGXFSZ. Made before any thread.
class Signals {
 public:
  Signals();

  // Waits for the first signal.
  void wait() const;
  // Whether another one came within the time given.
  bool wait_for(std::chrono::milliseconds time) const;

 private:
  sigset_t set_{};
};

// After the first signal: the server accepts no more and finishes what runs, for at most
// `drain_timeout`; a second signal ends it at once.
void drain(net::Server& server, const Signals& signals, std::chrono::milliseconds drain_timeout);

}  // namespace aifd::app
