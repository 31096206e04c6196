// Lines to a file or a pipe, written by a thread of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "aifd/base/error.hpp"

namespace aifd::services {

// Thread-safe. A line is a memory copy for whoever adds it; many share one write. Whatever the
// disk or the reader at the pipe's end does, nobody who adds waits: past the bound lines are
// dropped and counted.
class LineWriter {
 public:
  static constexpr std::size_t kMostQueuedBytes = std::size_t{16} << 20;

  // "stdout", or a file's path, which is created with mode 0600 and appended to.
  static Result<std::unique_ptr<LineWriter>> open(const std::string& target);

  // A file's descriptor is closed with the writer; standard output's, whose `path` is empty, is
  // not.
  LineWriter(int descriptor, std::string path);
  ~LineWriter();  // writes what is queued, unless the target takes nothing for a second
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` ends with a line feed.
  void add(std::string_view line) noexcept;

  // From the next line on a file is the one that is at its path then, made where there is none:
  // after it was renamed.
  void reopen() noexcept;

  std::uint64_t dropped() const noexcept;

 private:
  void run();
  std::string_view write_all(std::string_view bytes);  // gives what could not be written
  bool wait_writable();
  void open_anew() const;
  bool has_path() const noexcept { return !path_.empty(); }

  const int descriptor_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string queued_;
  std::uint64_t dropped_ = 0;
  std::uint64_t told_ = 0;  // of dropped_, in the log
  bool reopening_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace aifd::services
