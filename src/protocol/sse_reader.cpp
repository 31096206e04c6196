#include "sse_reader.hpp"

#include <algorithm>

namespace aifd::protocol {

SseReader::SseReader(std::string_view stream) noexcept : stream_(stream), rest_(stream) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool SseReader::next() {
  name_.clear();
  data_.clear();
  has_data_ = false;
  begin_ = end();
  for (std::string_view line; next_line(line);) {
    if (!line.empty()) {
      take_field(line);
    } else if (has_data_ || !name_.empty()) {
      return true;
    } else {
      begin_ = end();
    }
  }
  return false;
}

// A line without its end; false where none is whole.
bool SseReader::next_line(std::string_view& line) noexcept {
  const auto end =
      std::find_if(rest_.begin(), rest_.end(), [](char c) { return c == '\n' || c == '\r'; });
  if (end == rest_.end()) return false;
  line = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
  rest_.remove_prefix(line.size());
  rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
  return true;
}

void SseReader::take_field(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value;
  if (field != "data") return;
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace aifd::protocol
