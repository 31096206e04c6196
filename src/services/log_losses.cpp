#include "log_losses.hpp"

#include <utility>

#include "aifd/base/log.hpp"

namespace aifd::services {

LogLosses::LogLosses(Options options)
    : options_([&] {
        if (!options.warn) options.warn = [](const std::string& line) { log::warn("{}", line); };
        return std::move(options);
      }()) {}

void LogLosses::add(Lost what, std::uint64_t count, std::string_view why) noexcept {
  if (what == Lost::exchange || what == Lost::record) lost_ += count;
  bool begins = false;
  {
    const std::scoped_lock lock(mutex_);
    if (what == Lost::exchange) exchanges_ += count;
    if (what == Lost::record) records_ += count;
    if (what == Lost::answer) answers_ += count;
    latest_ = options_.clock();
    begins = !std::exchange(in_trouble_, true);
  }
  if (begins) options_.warn("the conversation log is in trouble: " + std::string(why));
}

void LogLosses::fine() noexcept {
  if (options_.clock() >= fine_at()) tell_end("is written again");
}

Clock::time_point LogLosses::fine_at() const noexcept {
  const std::scoped_lock lock(mutex_);
  return in_trouble_ ? latest_ + kQuiet : Clock::time_point::max();
}

void LogLosses::finish(bool written) noexcept {
  if (fine_at() == Clock::time_point::max()) return;
  tell_end(written ? "is written again" : "ends in trouble");
}

void LogLosses::tell_end(std::string_view how) noexcept {
  std::string line = "the conversation log " + std::string(how) + "; ";
  {
    const std::scoped_lock lock(mutex_);
    in_trouble_ = false;
    const std::uint64_t exchanges = std::exchange(exchanges_, 0);
    const std::uint64_t records = std::exchange(records_, 0);
    const std::uint64_t answers = std::exchange(answers_, 0);
    if (exchanges + records + answers == 0) {
      line += "nothing was lost";
    } else {
      line += "lost were " + std::to_string(exchanges) + " exchanges, " + std::to_string(records) +
              " records and parts of " + std::to_string(answers) + " answers";
    }
  }
  options_.warn(line);
}

}  // namespace aifd::services
