// How far a long command is, for whoever watches it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace aifd::convert {

// "[#####---------------]  25%  120 MB/s  1:02 left"; what is not known yet is left out.
std::string progress_text(std::uint64_t done, std::uint64_t total, std::chrono::milliseconds taken);

// One line on standard error where that is a terminal, and nothing elsewhere.
class ProgressBar {
 public:
  explicit ProgressBar(std::uint64_t total_bytes);
  ~ProgressBar();  // clears the line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap: draws some times a second.
  void show(std::uint64_t done_bytes);

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t total_;
  bool is_on_;
  bool is_drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
};

}  // namespace aifd::convert
