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
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is an error of that write, not the end
}

void Signals::wait() const {
  while (::sigwaitinfo(&set_, nullptr) < 0) {
  }
}

bool Signals::wait_for(std::chrono::milliseconds time) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec limit{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
  return ::sigtimedwait(&set_, nullptr, &limit) > 0;
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
