// What becomes of the conversation log's rotated files.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace aifd::services {

struct RotatedLogsOptions {
  std::size_t keep = 0;   // rotated files of each log; 0: all
  bool compress = false;  // with zstd
};

// Brings the rotated files of the log at `path` into order: those beyond `keep` go, the oldest
// first; what a kill left half compressed goes; the others are compressed, the oldest first. Those
// that another daemon still writes to, or compresses, are left for the next time. Gives what is
// wrong first, or an empty text; one file's trouble keeps it from no other.
std::string tidy_rotated(const std::filesystem::path& path, const RotatedLogsOptions& options,
                         const std::atomic<bool>& stop);

// Does that on a thread of its own, one log at a time; the daemon's log says what goes wrong.
// Thread-safe.
class RotatedLogs {
 public:
  explicit RotatedLogs(RotatedLogsOptions options);
  RotatedLogs(const RotatedLogs&) = delete;
  RotatedLogs& operator=(const RotatedLogs&) = delete;
  ~RotatedLogs();  // leaves what is under way for the next start

  // Does the same. False: the disk hangs, and the thread still runs.
  bool ends_within(std::chrono::milliseconds patience);

  void tidy(const std::filesystem::path& path);

 private:
  void serve();

  const RotatedLogsOptions options_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable at_end_;
  std::deque<std::filesystem::path> logs_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace aifd::services
