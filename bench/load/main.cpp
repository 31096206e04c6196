// The load of scripts/bench. Asks bench_upstream through a proxy, checks every byte of every
// answer, and prints what it saw as one line of JSON. Ends with 1 if a single answer was wrong.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel.hpp"
#include "load/connection.hpp"
#include "load/options.hpp"
#include "load/report.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

constexpr std::uint64_t kTooManyErrors = 20;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * 1e9);
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    if (!options.trusted_file.empty()) tls_ = Tls::client(options.trusted_file);
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      connections_.push_back(
          std::make_unique<Connection>(options_, tls_ ? &*tls_ : nullptr, poller_, report_));
    }
  }

  int measure() {
    begin_ = now_ns();
    end_ = begin_ + nanoseconds(options_.seconds);
    const std::int64_t last = end_ + nanoseconds(options_.patience_seconds);
    while (now_ns() < last && report_.errors < kTooManyErrors && (now_ns() < end_ || busy_ != 0)) {
      step();
    }
    for (const auto& connection : connections_) {
      if (connection->busy()) connection->fail("no answer in time");
    }
    report_.seconds = static_cast<double>(now_ns() - begin_) / 1e9;
    report_.print();
    return report_.errors == 0 ? 0 : 1;
  }

  // Opens all connections or streams, says so, and keeps them until standard input ends.
  int hold() {
    begin_ = now_ns();
    end_ = begin_ + nanoseconds(options_.ramp_seconds + options_.patience_seconds);
    poller_.add(STDIN_FILENO, 0, nullptr);
    while (report_.errors == 0 && !input_ended_ && held() < connections_.size()) {
      if (now_ns() > end_)
        report_.error("not all could be opened in time: " + std::to_string(held()));
      step();
    }
    std::printf("READY\n");
    std::fflush(stdout);
    poller_.change(STDIN_FILENO, EPOLLIN, nullptr);
    while (report_.errors == 0 && !input_ended_) step();
    if (report_.errors == 0 && held() < connections_.size()) report_.error("the proxy closed some");
    report_.print();
    return report_.errors == 0 ? 0 : 1;
  }

 private:
  // Starts what is due, waits for events at most until the next is, and handles them.
  void step() {
    const std::int64_t now = now_ns();
    if (options_.requests_per_second > 0)
      queue_due(now);
    else
      ramp(now);
    epoll_event events[256];
    const int count = poller_.wait(events, 256, std::max<std::int64_t>(0, next_due(now) - now));
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr)
        input_ended_ = true;
      else
        serve(*connection, events[i].events);
    }
  }

  void serve(Connection& connection, std::uint32_t events) {
    const bool was_busy = connection.busy();
    connection.on_events(events, buffer_);
    if (!was_busy || connection.busy()) return;
    --busy_;
    if (options_.hold != Options::Hold::no) return;
    if (options_.requests_per_second > 0) {
      free_.push_back(&connection);
    } else if (const std::int64_t now = now_ns(); now < end_ && report_.errors < kTooManyErrors) {
      ask(connection, now);
    }
  }

  // A failure to send ends a request at once; the loop must not lose such a connection.
  void ask(Connection& connection, std::int64_t due) {
    connection.ask(due);
    if (connection.busy())
      ++busy_;
    else if (options_.requests_per_second > 0)
      free_.push_back(&connection);
    else
      again_.push_back(&connection);
  }

  // Closed loop: the connections begin one after the other.
  void ramp(std::int64_t now) {
    while (started_ < connections_.size() && start_of(started_) <= now)
      ask(*connections_[started_++], now);
    if (now >= end_) return;
    for (Connection* connection : std::exchange(again_, {})) ask(*connection, now);
  }

  std::int64_t start_of(std::size_t number) const {
    return begin_ +
           nanoseconds(options_.ramp_seconds * static_cast<double>(number) / options_.connections);
  }

  // Open loop: requests fall due at the rate, whether a connection is free or not.
  void queue_due(std::int64_t now) {
    if (free_.empty() && scheduled_ == 0) {
      for (const auto& connection : connections_) free_.push_back(connection.get());
    }
    for (; due_of(scheduled_) <= now && due_of(scheduled_) < end_; ++scheduled_)
      waiting_.push_back(due_of(scheduled_));
    while (!waiting_.empty() && !free_.empty()) {
      Connection* connection = free_.front();
      free_.pop_front();
      ask(*connection, waiting_.front());
      waiting_.pop_front();
    }
  }

  std::int64_t due_of(std::uint64_t number) const {
    return begin_ + nanoseconds(static_cast<double>(number) / options_.requests_per_second);
  }

  std::int64_t next_due(std::int64_t now) const {
    constexpr std::int64_t kLongest = 50'000'000;
    if (!again_.empty() && now < end_) return now;
    if (options_.requests_per_second > 0) return std::min(due_of(scheduled_), now + kLongest);
    return started_ < connections_.size() ? std::min(start_of(started_), now + kLongest)
                                          : now + kLongest;
  }

  std::size_t held() const {
    const bool streams = options_.hold == Options::Hold::streams;
    return static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(), [&](const auto& connection) {
          return connection->open() && (streams ? connection->answering() : !connection->busy());
        }));
  }

  Options options_;
  std::optional<Tls> tls_;
  Poller poller_;
  Report report_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> free_;      // open loop: without a request
  std::deque<std::int64_t> waiting_;  // open loop: due, and no connection free
  std::vector<Connection*> again_;    // closed loop: failed while sending
  std::string buffer_ = std::string(256 * 1024, '\0');
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::uint64_t scheduled_ = 0;
  std::size_t started_ = 0;
  std::size_t busy_ = 0;
  bool input_ended_ = false;
};

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  const bench::Options options = bench::options_from(count, arguments);
  bench::raise_file_limit();
  bench::Load load(options);
  return options.hold == bench::Options::Hold::no ? load.measure() : load.hold();
}
