#include "aifd/protocol/event_splitter.hpp"

#include <algorithm>
#include <utility>

namespace aifd::protocol {
namespace {

bool ends_line(char c) noexcept {
  return c == '\n' || c == '\r';
}

}  // namespace

// Whether the event ends with this line.
bool EventSplitter::end_line() noexcept {
  const bool ends_event = kind_ == Kind::lines || line_is_empty_;
  line_is_empty_ = true;
  return ends_event;
}

std::size_t EventSplitter::take(std::string_view bytes) noexcept {
  if (bytes.empty()) return 0;
  const bool ends_cr_lf = std::exchange(after_cr_, false) && bytes.front() == '\n';
  if (ends_cr_lf && between_events_) return 1;
  std::size_t at = ends_cr_lf ? 1 : 0;
  between_events_ = false;
  while (at < bytes.size()) {
    const auto line_end = std::find_if(bytes.begin() + at, bytes.end(), ends_line);
    if (line_end != bytes.begin() + at) line_is_empty_ = false;
    if (line_end == bytes.end()) return bytes.size();
    at = static_cast<std::size_t>(line_end - bytes.begin()) + 1;
    if (*line_end == '\r') {
      after_cr_ = at == bytes.size();
      if (!after_cr_ && bytes[at] == '\n') ++at;
    }
    if (end_line()) {
      between_events_ = true;
      return at;
    }
  }
  return at;
}

}  // namespace aifd::protocol
