// One file of the conversation log: whole lines, appended, rotated by size.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "log_names.hpp"

namespace aifd::services {

struct LogFileOptions {
  std::uint64_t rotate_bytes = 0;  // a file that would pass this is rotated first; 0: never
  // Called with the file's path when it was opened for the first time, and after each rotation.
  std::function<void(const std::filesystem::path&)> tidy;
  std::function<WallClock::time_point()> wall_clock = &WallClock::now;
};

// Used on one thread; touches the disk. The file and its folders are made at the first append, for
// their owner alone. A file that was renamed or removed from outside is noticed within a second of
// writing. What cannot be opened is tried again once a second. Others may append to the file too:
// a shared flock(2) keeps it from being packed (see compress_file) while it is open.
class LogFile {
 public:
  static constexpr std::chrono::seconds kRetryAfter{1};
  static constexpr std::chrono::seconds kLookEvery{1};
  static constexpr std::chrono::minutes kRotateAfter{1};  // where it failed

  LogFile(std::filesystem::path path, LogFileOptions options);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() { close(); }

  // `lines` are whole. Gives how many of their bytes are in the file now, which are whole lines
  // too: where that is not all of them, trouble() says why.
  std::size_t append(std::string_view lines, Clock::time_point now);

  // Opens the path anew where it is open, and lets the next append() try again at once.
  void reopen(Clock::time_point now);

  const std::string& trouble() const noexcept { return trouble_; }

 private:
  bool ready(Clock::time_point now);
  bool open(Clock::time_point now);
  bool hold();
  void close() noexcept;
  bool look();
  bool elsewhere(Clock::time_point now);
  bool may_rotate(Clock::time_point now) const noexcept;
  void rotate(Clock::time_point now);
  std::string_view next_lines(std::string_view rest, Clock::time_point now) const;
  std::size_t write_lines(std::string_view lines);
  std::size_t write_all(std::string_view bytes);
  void cut_back(std::size_t written, std::size_t whole);
  void fail(int error);

  const std::filesystem::path path_;
  const LogFileOptions options_;
  int descriptor_ = -1;
  struct stat seen_ {};  // of the descriptor, by look()
  bool torn_ = false;    // its last line has no end
  bool tidied_ = false;
  Clock::time_point open_at_ = Clock::time_point::min();
  Clock::time_point look_at_ = Clock::time_point::min();
  Clock::time_point rotate_at_ = Clock::time_point::min();
  std::string trouble_;
};

}  // namespace aifd::services
