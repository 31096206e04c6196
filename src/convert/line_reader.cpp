#include "line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aifd::convert {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10;

}  // namespace

LineReader::LineReader(LogSource& source, std::size_t most_bytes)
    : source_(source), most_bytes_(most_bytes), block_(kBlockBytes, '\0') {}

LineReader::Found LineReader::next(std::string_view& line) {
  while (true) {
    const std::size_t at = std::string_view(block_).substr(0, end_).find('\n', scanned_);
    if (at != std::string_view::npos) return take(at - begin_, 1, line);
    scanned_ = end_;
    if (end_ - begin_ > most_bytes_) {
      is_passing_over_ = true;
      begin_ = end_;
    }
    if (fill()) continue;
    if (begin_ < end_ || is_passing_over_) return take(end_ - begin_, 0, line);
    return Found::end;
  }
}

// Makes room where there is none, and reads on.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(block_.data(), block_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
    scanned_ = end_;
  }
  if (end_ == block_.size()) block_.resize(2 * block_.size());
  if (end_ < kBlockBytes / 2 && block_.size() > 4 * kBlockBytes) {
    block_.resize(kBlockBytes);
    block_.shrink_to_fit();
  }
  const std::size_t count = source_.read(std::span(block_).subspan(end_));
  end_ += count;
  return count > 0;
}

LineReader::Found LineReader::take(std::size_t length, std::size_t end_bytes,
                                   std::string_view& line) {
  ++number_;
  line = std::string_view(block_).substr(begin_, length);
  if (line.ends_with('\r')) line.remove_suffix(1);
  begin_ += length + end_bytes;
  scanned_ = begin_;
  if (std::exchange(is_passing_over_, false) || length > most_bytes_) return Found::too_long;
  return Found::line;
}

}  // namespace aifd::convert
