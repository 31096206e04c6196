#include "aifd/protocol/python_literal.hpp"

#include <array>
#include <utility>

#include "chars.hpp"
#include "python_string.hpp"

namespace aifd::protocol {
namespace {

struct Word {
  std::string_view python;
  std::string_view json;
};
constexpr std::array<Word, 6> kWords{{{"None", "null"},
                                      {"True", "true"},
                                      {"False", "false"},
                                      {"inf", "null"},
                                      {"-inf", "null"},
                                      {"nan", "null"}}};

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

// The length of the number that `text` begins with; 0 where there is none. Where more stands behind
// it than repr() writes (01, 1_000, 1j), a separator will be missed.
std::size_t number_length(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t digits = text.substr(at).starts_with('0') ? 1 : count_digits(text.substr(at));
  if (digits == 0) return 0;
  at += digits;
  if (text.substr(at).starts_with('.')) {
    const std::size_t fraction = count_digits(text.substr(at + 1));
    if (fraction == 0) return 0;
    at += 1 + fraction;
  }
  if (text.substr(at).starts_with('e')) {
    std::size_t exponent = at + 1;
    if (exponent < text.size() && (text[exponent] == '-' || text[exponent] == '+')) ++exponent;
    const std::size_t power = count_digits(text.substr(exponent));
    if (power == 0) return 0;
    at = exponent + power;
  }
  return at;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  // Its functions give false where the text is wrong, and have said so in error_.
  bool read() {
    while (true) {
      if (!read_value()) return false;
      if (!value_ended_) continue;
      if (!close_and_separate()) return false;
      if (depth_ == 0) return true;
    }
  }

  std::string take() { return std::move(out_); }
  LiteralError error() const { return error_; }

 private:
  struct Open {
    char closing;
    bool has_comma;
  };

  bool read_value() {
    value_ended_ = true;
    skip_space();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '{' || c == '[' || c == '(') return open(c);
    if (c == '\'' || c == '"') return read_string();
    for (const Word& word : kWords) {
      if (rest().starts_with(word.python)) return copy(word.python.size(), word.json);
    }
    const std::size_t length = number_length(rest());
    return length > 0 ? copy(length, rest().substr(0, length))
                      : fail("no value that repr() writes");
  }

  bool copy(std::size_t length, std::string_view json) {
    out_ += json;
    at_ += length;
    return true;
  }

  bool read_string() {
    const PythonString string = read_python_string(rest(), out_);
    at_ += string.length;
    return string.wrong.empty() || fail(string.wrong);
  }

  // Where the container is empty, its end is left to close_and_separate().
  bool open(char bracket) {
    if (depth_ == kMostLiteralDepth) return fail("nested too deep");
    const char closing = bracket == '{' ? '}' : bracket == '[' ? ']' : ')';
    open_[depth_++] = {closing, true};
    out_ += bracket == '{' ? '{' : '[';
    ++at_;
    skip_space();
    if (next_is(closing)) return true;
    open_[depth_ - 1].has_comma = false;
    value_ended_ = false;
    return closing != '}' || read_key();
  }

  bool read_key() {
    skip_space();
    if (!next_is('\'') && !next_is('"')) return fail("a string should stand here, as a dict's key");
    if (!read_string()) return false;
    skip_space();
    if (!next_is(':')) return fail("a colon should stand here");
    return copy(1, ":");
  }

  // Behind a value: goes on to the next one, or to the end of the text.
  bool close_and_separate() {
    for (skip_space(); depth_ > 0; skip_space()) {
      Open& innermost = open_[depth_ - 1];
      if (next_is(innermost.closing)) {
        if (!close(innermost)) return false;
      } else if (!next_is(',')) {
        return fail("a comma or closing bracket should stand here");
      } else if (!ends_tuple_of_one(innermost)) {
        out_ += ',';
        return innermost.closing != '}' || read_key();
      }
    }
    return at_ == text_.size() || fail("something stands behind the value");
  }

  bool close(const Open& innermost) {
    if (innermost.closing == ')' && !innermost.has_comma) return fail("a comma is missing");
    out_ += innermost.closing == '}' ? '}' : ']';
    ++at_;
    --depth_;
    return true;
  }

  // Reads the comma.
  bool ends_tuple_of_one(Open& innermost) {
    ++at_;
    const bool is_first = !std::exchange(innermost.has_comma, true);
    skip_space();
    return is_first && innermost.closing == ')' && next_is(')');
  }

  bool fail(std::string_view what) {
    error_ = {at_, what};
    return false;
  }

  void skip_space() {
    while (next_is(' ') || next_is('\t')) ++at_;
  }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  std::string_view rest() const { return text_.substr(at_); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::array<Open, kMostLiteralDepth> open_;
  std::size_t depth_ = 0;
  bool value_ended_ = true;
  LiteralError error_{0, {}};
};

}  // namespace

std::variant<std::string, LiteralError> json_of_python_literal(std::string_view text) {
  Reader reader(text);
  if (!reader.read()) return reader.error();
  return reader.take();
}

}  // namespace aifd::protocol
