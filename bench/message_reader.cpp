#include "message_reader.hpp"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace bench {
namespace {

constexpr std::size_t kLongestHead = 64 * 1024;
constexpr std::size_t kLongestLine = 4096;

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

bool number(std::string_view text, int base, std::uint64_t& result) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::size_t MessageReader::take(std::string_view bytes, const OnBody& on_body) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::done && state_ != State::broken) {
    const std::string_view rest = bytes.substr(used);
    switch (state_) {
      case State::head:
        used += take_head(rest);
        break;
      case State::length:
      case State::until_close:
      case State::chunk_data:
        used += take_data(rest, on_body);
        break;
      default:
        used += take_line(rest);
    }
  }
  return used;
}

std::size_t MessageReader::take_head(std::string_view bytes) {
  const std::size_t whole = head_.empty() ? bytes.find("\r\n\r\n") : std::string_view::npos;
  const std::size_t before = head_.size();
  head_ += whole == std::string_view::npos ? bytes : bytes.substr(0, whole + 4);
  const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() > kLongestHead) state_ = State::broken;
    return bytes.size();
  }
  head_.resize(end + 4);
  const std::size_t used = head_.size() - before;
  head_ended();
  return used;
}

void MessageReader::head_ended() {
  if (kind_ == Kind::response) {
    const bool good = head_.size() > 12 && head_.starts_with("HTTP/1.1 ");
    std::uint64_t status = 0;
    if (!good || !number(std::string_view(head_).substr(9, 3), 10, status)) {
      state_ = State::broken;
      return;
    }
    status_ = static_cast<int>(status);
  }
  closes_ = equal_ignoring_case(field("connection"), "close");
  const std::string_view length = field("content-length");
  if (equal_ignoring_case(field("transfer-encoding"), "chunked")) {
    state_ = length.empty() ? State::chunk_size : State::broken;
  } else if (!length.empty()) {
    state_ = number(length, 10, left_) ? State::length : State::broken;
    if (state_ == State::length && left_ == 0) state_ = State::done;
  } else {
    state_ = kind_ == Kind::request ? State::done : State::until_close;
    closes_ = closes_ || state_ == State::until_close;
  }
}

// The value of a field of the head, or an empty view.
std::string_view MessageReader::field(std::string_view name) const {
  std::string_view rest = head_;
  for (std::size_t end = rest.find("\r\n"); end != std::string_view::npos;
       end = rest.find("\r\n")) {
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!equal_ignoring_case(line.substr(0, name.size()), name)) continue;
    const std::size_t begin = line.find_first_not_of(' ', name.size() + 1);
    return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
  }
  return {};
}

std::size_t MessageReader::take_data(std::string_view bytes, const OnBody& on_body) {
  if (state_ == State::until_close) {
    on_body(bytes);
    return bytes.size();
  }
  const std::size_t size = std::min<std::uint64_t>(left_, bytes.size());
  on_body(bytes.substr(0, size));
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::length ? State::done : State::chunk_end;
  return size;
}

std::size_t MessageReader::take_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  if (line_.size() > kLongestLine) state_ = State::broken;
  if (end == std::string_view::npos) return bytes.size();
  line_ended();
  line_.clear();
  return end + 1;
}

void MessageReader::line_ended() {
  if (state_ == State::broken) return;
  if (line_.empty() || line_.back() != '\r') {
    state_ = State::broken;
    return;
  }
  line_.pop_back();
  switch (state_) {
    case State::chunk_size:
      chunk_begins();
      break;
    case State::chunk_end:
      state_ = line_.empty() ? State::chunk_size : State::broken;
      break;
    default:
      if (line_.empty()) state_ = State::done;  // a trailer ends with an empty line
  }
}

void MessageReader::chunk_begins() {
  const std::string_view size = std::string_view(line_).substr(0, line_.find(';'));
  if (!number(size, 16, left_)) {
    state_ = State::broken;
  } else {
    state_ = left_ == 0 ? State::trailer : State::chunk_data;
  }
}

void MessageReader::end_of_stream() {
  state_ = state_ == State::until_close ? State::done : State::broken;
}

void MessageReader::restart() {
  state_ = State::head;
  head_.clear();
  line_.clear();
  closes_ = false;
}

}  // namespace bench
