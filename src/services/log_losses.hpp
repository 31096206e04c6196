// What the conversation log could not keep: counted, and said in the daemon's log.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "aifd/base/clock.hpp"

namespace aifd::services {

// Thread-safe; never waits for more than another of these calls. Trouble is said when it begins,
// and when nothing more has happened for kQuiet with what it cost.
class LogLosses {
 public:
  static constexpr std::chrono::seconds kQuiet{1};

  enum class Lost {
    nothing,   // yet
    exchange,  // with both its records
    record,
    answer,  // a part of one; its record says so
  };

  struct Options {
    std::function<Clock::time_point()> clock = &Clock::now;
    std::function<void(const std::string&)> warn;  // the log's where it is empty
  };

  LogLosses() : LogLosses(Options{}) {}
  explicit LogLosses(Options options);

  void add(Lost what, std::uint64_t count, std::string_view why) noexcept;

  // All that was handed over is written.
  void fine() noexcept;
  // When to call fine() again; time_point::max(): there is nothing it could say.
  Clock::time_point fine_at() const noexcept;
  // Says what is not said yet. `written`: the last of it could be written.
  void finish(bool written) noexcept;

  // Exchanges and records.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  void tell_end(std::string_view how) noexcept;

  const Options options_;
  std::atomic<std::uint64_t> lost_{0};
  mutable std::mutex mutex_;
  bool in_trouble_ = false;
  Clock::time_point latest_;
  // Since it began.
  std::uint64_t exchanges_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace aifd::services
