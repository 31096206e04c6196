#include "event_feed.hpp"

#include <algorithm>
#include <utility>

#include "aifd/base/words.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostNameBytes = 256;
constexpr std::size_t kMostIdleBytes = std::size_t{1} << 20;

// Its memory stays for the next text, where it is not much.
void empty_out(std::string& text) {
  text.clear();
  if (text.capacity() > kMostIdleBytes) text.shrink_to_fit();
}

// The text's size where there is none.
std::size_t find_line_end(std::string_view text) noexcept {
  return find_marked(text, 0,
                     [](Bytes bytes) { return mark_equal(bytes, '\n') | mark_equal(bytes, '\r'); });
}

}  // namespace

bool EventFeed::next() {
  if (std::exchange(is_given_, false)) begin_event();
  for (std::string_view line; next_line(line);) {
    if (!ends_event(line)) continue;
    is_given_ = has_data_ && !is_passed_over_;
    if (is_given_) return true;
    begin_event();
  }
  if (is_ended_ && has_data_) return is_given_ = true;
  keep_data();
  return false;
}

// Takes the line, and says whether the event ends with it.
bool EventFeed::ends_event(std::string_view line) {
  if (kind_ == Kind::sse && line.empty()) return true;
  if (line.size() > max_bytes_ - std::min(data_.size(), max_bytes_)) pass_over();
  if (!is_passed_over_) take_line(line);
  return kind_ == Kind::lines;
}

// A line without its end; false where none is whole.
bool EventFeed::next_line(std::string_view& line) {
  if (std::exchange(has_line_, false)) empty_out(line_);
  if (after_cr_ && !rest_.empty()) {
    after_cr_ = false;
    if (rest_.front() == '\n') rest_.remove_prefix(1);
  }
  const std::size_t end = find_line_end(rest_);
  if (end == rest_.size()) {
    keep_line(rest_);
    rest_ = {};
    has_line_ = is_ended_ && !line_.empty();
  } else {
    line = rest_.substr(0, end);
    after_cr_ = rest_[end] == '\r';
    rest_.remove_prefix(end + 1);
    if (line_.empty()) return pass_byte_order_mark(line);
    keep_line(line);
    has_line_ = true;
  }
  if (!has_line_) return false;
  line = line_;
  return pass_byte_order_mark(line);
}

bool EventFeed::pass_byte_order_mark(std::string_view& line) noexcept {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const bool has_it = std::exchange(at_start_, false) && line.starts_with(kByteOrderMark);
  if (has_it) line.remove_prefix(kByteOrderMark.size());
  return true;
}

// Of a line that is passed over one byte is enough: it is not empty.
void EventFeed::keep_line(std::string_view part) {
  if (part.empty()) return;
  const std::size_t kept = std::min(line_.size() + data_.size(), max_bytes_);
  if (part.size() > max_bytes_ - kept) pass_over();
  if (is_passed_over_) part = line_.empty() ? part.substr(0, 1) : std::string_view{};
  line_ += part;
}

void EventFeed::take_line(std::string_view line) {
  if (kind_ == Kind::lines) {
    if (!line.empty()) add_data(line);
    return;
  }
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") add_data(value);
  if (field == "event" && value.size() <= kMostNameBytes) name_ = value;
}

void EventFeed::add_data(std::string_view value) {
  if (!has_data_) {
    has_data_ = true;
    data_ = value;
    if (has_line_) keep_data();
    return;
  }
  keep_data();
  kept_data_ += '\n';
  kept_data_ += value;
  data_ = kept_data_;
}

void EventFeed::keep_data() {
  if (!has_data_ || std::exchange(is_kept_, true)) return;
  kept_data_ = data_;
  data_ = kept_data_;
}

void EventFeed::begin_event() {
  name_.clear();
  empty_out(kept_data_);
  data_ = {};
  has_data_ = false;
  is_kept_ = false;
  is_passed_over_ = false;
}

void EventFeed::lower_bound(std::size_t max_event_bytes) {
  max_bytes_ = std::min(max_bytes_, max_event_bytes);
  if (line_.size() + data_.size() <= max_bytes_) return;
  pass_over();
  line_.resize(std::min<std::size_t>(line_.size(), 1));
  line_.shrink_to_fit();
}

void EventFeed::pass_over() {
  begin_event();
  is_passed_over_ = true;
  was_cut_ = true;
}

}  // namespace aifd::protocol
