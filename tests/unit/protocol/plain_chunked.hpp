// A slow and plain model of the chunked coding, for comparison: reads a whole text from left to
// right, straight from the grammar of RFC 9112, 7.1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aifd::protocol {

enum class PlainVerdict { whole, cut, bad };

struct PlainResult {
  PlainVerdict verdict = PlainVerdict::whole;
  std::string payload;
  std::size_t consumed = 0;
};

class PlainDecoder {
 public:
  explicit PlainDecoder(std::string_view bytes) : bytes_(bytes) {}

  PlainResult decode() {
    PlainResult result;
    try {
      while (const std::uint64_t size = size_line()) {
        for (std::uint64_t i = 0; i < size; ++i) result.payload += next();
        line_end();
      }
      while (peek() != '\r') trailer();
      line_end();
    } catch (PlainVerdict verdict) {
      result.verdict = verdict;
    }
    if (result.verdict == PlainVerdict::bad) result.payload.clear();
    result.consumed = result.verdict == PlainVerdict::bad ? 0 : at_;
    return result;
  }

 private:
  char peek() const {
    if (at_ == bytes_.size()) throw PlainVerdict::cut;
    return bytes_[at_];
  }

  char next() {
    const char c = peek();
    ++at_;
    return c;
  }

  static void demand(bool condition) {
    if (!condition) throw PlainVerdict::bad;
  }

  static bool is_one_of(char c, std::string_view set) {
    return set.find(c) != std::string_view::npos;
  }

  static bool is_token(char c) {
    return is_one_of(c,
                     "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  }

  static bool is_text(char c) {
    return c == '\t' || (c != '\x7F' && static_cast<unsigned char>(c) >= 0x20);
  }

  void line_end() {
    demand(next() == '\r');
    demand(next() == '\n');
  }

  std::uint64_t size_line() {
    std::string digits;
    while (is_one_of(peek(), "0123456789abcdefABCDEF")) {
      digits += next();
      demand(digits.size() <= 16 && std::stoull(digits, nullptr, 16) <= INT64_MAX);
    }
    demand(!digits.empty());
    if (peek() != '\r') extension();
    line_end();
    return std::stoull(digits, nullptr, 16);
  }

  void extension() {
    while (is_one_of(peek(), " \t")) next();
    demand(next() == ';');
    while (peek() != '\r') {
      const char c = next();
      if (c == '"') {
        quoted();
      } else {
        demand(is_token(c) || is_one_of(c, "=; \t"));
      }
    }
  }

  void quoted() {
    for (char c = next(); c != '"'; c = next()) {
      demand(is_text(c));
      if (c == '\\') demand(is_text(next()));
    }
  }

  void trailer() {
    demand(is_token(peek()));
    while (is_token(peek())) next();
    demand(next() == ':');
    while (is_text(peek())) next();
    line_end();
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

inline PlainResult decode_plainly(std::string_view bytes) {
  return PlainDecoder(bytes).decode();
}

}  // namespace aifd::protocol
