// A strict reader of JSON (RFC 8259), token by token, with nothing left unchecked and every number
// as it was written; simdjson's on-demand reader checks only what it is asked for, and its DOM
// rounds numbers.
#pragma once

#include <bitset>
#include <cstddef>
#include <string_view>

#include "json_scan.hpp"

namespace aifd::protocol {

// Reads one text once. No memory but its own and no recursion, whatever the text holds. Refused are
// also: text that is not UTF-8, lone surrogates ("\ud800") unless they are allowed, and nesting
// deeper than kMaxDepth. Repeated names of an object are not noticed here.
class JsonReader {
 public:
  static constexpr std::size_t kMaxDepth = 1024;

  using Surrogates = protocol::Surrogates;

  enum class Kind {
    begin_object,
    end_object,
    begin_array,
    end_array,
    name,  // of an object's member; its colon is read too
    string,
    number,
    literal,  // true, false or null
    end,      // of a valid text
    invalid,  // the text from here on; not to be read further
  };

  struct Token {
    Kind kind;
    std::string_view text;        // as it stands; of name and string with both quotes
    bool has_escapes = false;     // of name and string: a backslash is in it
    bool has_surrogates = false;  // and some of the escapes are of surrogates
  };

  // `text` outlives the reader and its tokens.
  explicit JsonReader(std::string_view text, Surrogates allowed = Surrogates::in_pairs) noexcept;

  Token next() noexcept;

  // Reads to the end of the value that begins with `first`, the token read last; gives it as it
  // stands. Empty where it is not valid or no value begins there.
  std::string_view finish_value(const Token& first) noexcept;

  // Objects and arrays that are open, and whether the innermost is an array.
  std::size_t depth() const noexcept { return depth_; }
  bool in_array() const noexcept { return depth_ > 0 && is_array_[depth_ - 1]; }

 private:
  enum class Expected { value, first_name, first_element, separator, nothing };

  // These are given the character that stands at at_.
  Token read_after_value(char first) noexcept;
  Token read_name(char first) noexcept;
  Token read_value(char first) noexcept;
  Token read_string(Kind kind) noexcept;  // its quote stands there
  Token read_scalar(Kind kind, std::size_t length) noexcept;
  Token open(bool is_array) noexcept;
  Token close() noexcept;
  Token refuse() noexcept;

  char skip_space() noexcept;
  std::string_view take(std::size_t length) noexcept;
  std::string_view rest() const noexcept { return text_.substr(at_); }

  std::string_view text_;
  Surrogates allowed_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::bitset<kMaxDepth> is_array_;
  Expected expected_ = Expected::value;
};

}  // namespace aifd::protocol

#include "json_reader_steps.hpp"
