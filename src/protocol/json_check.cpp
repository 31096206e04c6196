// compact_json: the grammar of RFC 8259, without recursion.
#include <simdjson.h>

#include <bitset>

#include "chars.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostDepth = 512;

// Its functions give false where the text breaks the grammar.
class Compacter {
 public:
  explicit Compacter(std::string_view text) : text_(text) { compact_.reserve(text.size()); }

  bool run() {
    do {
      opened_ = false;
      if (!value()) return false;
    } while (opened_ || goes_on());
    return !broken_ && depth_ == 0 && at_ == text_.size();
  }

  std::string take() { return std::move(compact_); }

 private:
  // Behind a whole value: closes what ends here. Whether another value follows.
  bool goes_on() {
    skip_space();
    while (depth_ > 0) {
      if (take(',')) {
        broken_ = is_object_[depth_] && !key();
        return !broken_;
      }
      if (!take(is_object_[depth_] ? '}' : ']')) return false;
      --depth_;
      skip_space();
    }
    return false;
  }

  // Takes a scalar or an empty container, or opens another up to its first value.
  bool value() {
    skip_space();
    if (at_ == text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return open(true, '}');
      case '[':
        return open(false, ']');
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool open(bool is_object, char end) {
    if (depth_ == kMostDepth) return false;
    copy(1);
    skip_space();
    if (take(end)) return true;
    is_object_[++depth_] = is_object;
    opened_ = true;
    return !is_object || key();
  }

  bool key() {
    skip_space();
    if (!string()) return false;
    skip_space();
    return take(':');
  }

  bool string() {
    if (peek() != '"') return false;
    std::size_t end = at_ + 1;
    for (; end < text_.size() && text_[end] != '"'; ++end) {
      if (static_cast<unsigned char>(text_[end]) < 0x20) return false;
      if (text_[end] == '\\' && !is_escape(++end)) return false;
    }
    if (end >= text_.size()) return false;
    copy(end + 1 - at_);
    return true;
  }

  // The digits behind \u are plain characters to the caller's walk then.
  bool is_escape(std::size_t at) const {
    if (at >= text_.size()) return false;
    if (text_[at] != 'u') return std::string_view{"\"\\/bfnrt"}.find(text_[at]) != text_.npos;
    if (text_.size() - at < 5) return false;
    for (std::size_t i = 1; i <= 4; ++i) {
      if (hex_value(text_[at + i]) < 0) return false;
    }
    return true;
  }

  bool number() {
    std::size_t end = at_;
    const auto has = [&](char c) { return end < text_.size() && text_[end] == c; };
    const auto digits = [&] {
      const std::size_t begin = end;
      while (end < text_.size() && is_digit(text_[end])) ++end;
      return end - begin;
    };
    if (has('-')) ++end;
    const bool is_zero = has('0');
    const std::size_t whole = digits();
    if (whole == 0 || (is_zero && whole > 1)) return false;
    if (has('.')) {
      ++end;
      if (digits() == 0) return false;
    }
    if (has('e') || has('E')) {
      ++end;
      if (has('+') || has('-')) ++end;
      if (digits() == 0) return false;
    }
    copy(end - at_);
    return true;
  }

  bool word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    copy(word.size());
    return true;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    copy(1);
    return true;
  }

  void copy(std::size_t size) {
    compact_.append(text_.substr(at_, size));
    at_ += size;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string compact_;
  std::bitset<kMostDepth + 1> is_object_;
  std::size_t depth_ = 0;
  bool opened_ = false;
  bool broken_ = false;
};

}  // namespace

std::optional<std::string> compact_json(std::string_view text) {
  if (!simdjson::validate_utf8(text)) return std::nullopt;
  Compacter compacter(text);
  if (!compacter.run()) return std::nullopt;
  return compacter.take();
}

}  // namespace aifd::protocol
