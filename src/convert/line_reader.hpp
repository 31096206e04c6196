// The lines of a log, of any length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "log_source.hpp"

namespace aifd::convert {

// Used by one thread. Holds one line and a block of 256 KiB, at most twice `most_bytes`.
class LineReader {
 public:
  static constexpr std::size_t kMostLineBytes = std::size_t{256} << 20;

  enum class Found { line, too_long, end };

  // The source outlives the reader.
  explicit LineReader(LogSource& source, std::size_t most_bytes = kMostLineBytes);

  // A line without its end (\n or \r\n), which is good until the next call. A line of over
  // `most_bytes` is passed over. Of the last line the end may be missing.
  Found next(std::string_view& line);

  std::uint64_t number() const noexcept { return number_; }  // of the line read last: from 1 on

 private:
  bool fill();
  Found take(std::size_t length, std::size_t end_bytes, std::string_view& line);

  LogSource& source_;
  std::size_t most_bytes_;
  std::string block_;
  std::size_t begin_ = 0;    // of what is not taken
  std::size_t scanned_ = 0;  // up to there is no line end
  std::size_t end_ = 0;
  bool is_passing_over_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace aifd::convert
