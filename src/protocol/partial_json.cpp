#include "partial_json.hpp"

#include <algorithm>
#include <utility>

#include "chars.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostDepth = 1024;

class Completion {
 public:
  explicit Completion(std::string_view text) : text_(text) {}

  std::string read() {
    while (at_ < text_.size()) {
      const bool goes_on = text_[at_] == '"' ? take_string() : take_other();
      if (!goes_on || open_.size() > kMostDepth) return {};
    }
    std::string whole(text_.substr(0, whole_until_));
    if (string_end_ > 0) whole.assign(text_.substr(0, string_end_)).append("\"");
    for (; !open_.empty(); open_.pop_back()) whole += open_.back() == '{' ? '}' : ']';
    return whole;
  }

 private:
  bool is_value() const { return open_.empty() || open_.back() == '[' || before_ == ':'; }

  bool take_string() {
    std::size_t at = at_ + 1;
    std::size_t escape = text_.size();  // where the last one begins
    while (at < text_.size() && text_[at] != '"') {
      const bool is_escape = text_[at] == '\\';
      if (is_escape) escape = at;
      at += !is_escape ? 1 : text_.substr(at + 1, 1) == "u" ? 6 : 2;
    }
    const bool is_whole = at < text_.size();
    if (is_whole && is_value()) whole_until_ = at + 1;
    if (!is_whole && is_value()) {
      const std::size_t end = at > text_.size() ? escape : text_.size();
      string_end_ = whole_characters(text_.substr(0, end));
    }
    at_ = std::min(at + 1, text_.size());
    return true;
  }

  // False where a bracket closes what was not opened.
  bool take_other() {
    const char c = text_[at_++];
    if (c == '{' || c == '[') {
      open_ += c;
      whole_until_ = at_;
    } else if (c == '}' || c == ']') {
      if (open_.empty()) return false;
      open_.pop_back();
      whole_until_ = at_;
    } else if (c == ',') {
      whole_until_ = at_ - 1;
    } else if (c != ':') {
      return true;
    }
    before_ = c;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string open_;             // brackets
  char before_ = ' ';            // the last bracket, comma or colon
  std::size_t whole_until_ = 0;  // behind it only brackets have to be closed
  std::size_t string_end_ = 0;   // where the text ends within a string
};

}  // namespace

std::string completed_json(std::string_view beginning) {
  return Completion(beginning).read();
}

void ListSkimmer::feed(std::string_view piece, std::string& kept) {
  while (!piece.empty()) {
    const bool was_in_list = in_list_;
    const std::size_t taken = in_string_ ? take_string(piece) : take_other(piece);
    const bool ends_list = was_in_list && !in_list_;
    if (!was_in_list) kept += piece.substr(0, taken);
    if (ends_list) kept += ']';
    piece.remove_prefix(taken);
  }
}

// To its end, or that of the piece.
std::size_t ListSkimmer::take_string(std::string_view text) noexcept {
  std::size_t at = std::exchange(is_escaped_, false) ? 1 : 0;
  for (;;) {
    const std::size_t quote = std::min(text.find('"', at), text.size());
    std::size_t backslashes = 0;
    while (quote - backslashes > at && text[quote - backslashes - 1] == '\\') ++backslashes;
    const bool is_escaped = backslashes % 2 != 0;
    if (quote == text.size()) {
      is_escaped_ = is_escaped;
      return quote;
    }
    if (!is_escaped) {
      in_string_ = false;
      return quote + 1;
    }
    at = quote + 1;
  }
}

// Up to where something changes.
std::size_t ListSkimmer::take_other(std::string_view text) noexcept {
  constexpr CharClass kMarks{
      [](unsigned char c) { return c == '"' || c == '[' || c == ']' || c == '{' || c == '}'; }};
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (!kMarks.has(c)) continue;
    if (c == '"') {
      in_string_ = true;
      return at + 1;
    }
    if (c == '[' || c == '{') {
      in_list_ = in_list_ || (c == '[' && depth_ == 1);
      if (++depth_ == 2 && in_list_) return at + 1;
    } else if (depth_ > 0 && --depth_ == 1 && std::exchange(in_list_, false)) {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace aifd::protocol
