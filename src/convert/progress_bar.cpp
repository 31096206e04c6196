#include "progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace aifd::convert {
namespace {

constexpr std::chrono::milliseconds kInterval{200};
constexpr std::size_t kWidth = 20;

}  // namespace

std::string progress_text(std::uint64_t done, std::uint64_t total,
                          std::chrono::milliseconds taken) {
  done = std::min(done, total);
  const double part = total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(part * kWidth);
  std::string text = "[" + std::string(filled, '#') + std::string(kWidth - filled, '-') + "]";
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, " %3d%%", static_cast<int>(part * 100));
  text += numbers;
  const double seconds = static_cast<double>(taken.count()) / 1000;
  if (done == 0 || seconds <= 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  const double seconds_left = static_cast<double>(total - done) / rate;
  const long left = seconds_left < 1e6 ? std::lround(seconds_left) : 999'999;
  std::snprintf(numbers, sizeof numbers, "  %.0f MB/s  %ld:%02ld left", rate / 1e6, left / 60,
                left % 60);
  return text + numbers;
}

ProgressBar::ProgressBar(std::uint64_t total_bytes)
    : total_(total_bytes), is_on_(::isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (is_drawn_) std::cerr << "\r\x1b[K" << std::flush;
}

void ProgressBar::show(std::uint64_t done_bytes) {
  if (!is_on_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  is_drawn_ = true;
  const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(now - start_);
  std::cerr << '\r' << progress_text(done_bytes, total_, taken) << "\x1b[K" << std::flush;
}

}  // namespace aifd::convert
