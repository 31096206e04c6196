#include "aifd/app/shutdown.hpp"

#include "aifd/base/log.hpp"

namespace aifd::app {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 20ms;
constexpr auto kAbortTakes = 1s;  // for connections to see that they are over

}  // namespace

Signals::Signals() {
  ::sigemptyset(&set_);
  ::sigaddset(&set_, SIGTERM);
  ::sigaddset(&set_, SIGINT);
  ::sigaddset(&set_, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is an error of that write, not the end
}

void Signals::wait(const std::function<void()>& reopen_logs) const {
  for (;;) {
    const int signal = ::sigwaitinfo(&set_, nullptr);
    if (signal == SIGUSR1) {
      reopen_logs();
    } else if (signal > 0) {
      return;
    }
  }
}

bool Signals::wait_for(std::chrono::milliseconds time) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec limit{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
  const int signal = ::sigtimedwait(&set_, nullptr, &limit);
  return signal > 0 && signal != SIGUSR1;
}

void drain(net::Server& server, const Signals& signals, std::chrono::milliseconds drain_timeout) {
  log::info("shutting down: finishing what runs, for at most {} s; a second signal ends it at once",
            drain_timeout.count() / 1000);
  server.drain();
  const Clock::time_point until = Clock::now() + drain_timeout;
  while (server.running() && Clock::now() < until && !signals.wait_for(kLook)) {
  }
  if (!server.running()) return;
  log::warn("shutting down: ending what still runs");
  server.abort();
  const Clock::time_point last = Clock::now() + kAbortTakes;
  while (server.running() && Clock::now() < last) signals.wait_for(kLook);
}

}  // namespace aifd::app
