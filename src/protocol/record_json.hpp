// JSON as it stands in the conversation log's records: in one line, and valid for every reader.
#pragma once

#include <cstddef>
#include <string_view>

#include "aifd/base/line_buffer.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {

// Nested deeper, a value is not recorded as JSON: readers of the log have limits of their own.
inline constexpr std::size_t kMostRecordDepth = 512;

// Puts the tokens of one value together again as append_record_json() says. As long as they stand
// in their text as they are to be, nothing is copied. Not for tokens that are invalid.
class RecordCopy {
 public:
  // Appends to `out` where something must be copied. `first` is the first token to be taken.
  RecordCopy(LineBuffer& out, const JsonReader::Token& first) noexcept
      : out_(out), begin_(out.size()), run_(first.text.substr(0, 0)) {}

  void take(const JsonReader::Token& token) {
    using Kind = JsonReader::Kind;
    const bool ends = token.kind == Kind::end_object || token.kind == Kind::end_array;
    const bool begins = token.kind == Kind::begin_object || token.kind == Kind::begin_array;
    const std::string_view separator(&next_, ends || next_ == '\0' ? 0 : 1);
    const bool may_change = token.has_surrogates || token.kind == Kind::number;
    if (!may_change && token.text.data() == run_.data() + run_.size() + separator.size()) {
      run_ = {run_.data(), run_.size() + separator.size() + token.text.size()};
    } else {
      take_apart(token, separator);
    }
    next_ = token.kind == Kind::name ? ':' : begins ? '\0' : ',';
  }

  // At the end: the part of the text that the value is, if nothing was copied; else all of it was
  // appended, and this is empty.
  std::string_view finish() {
    if (out_.size() == begin_) return run_;
    out_.append(run_);
    return {};
  }

 private:
  void take_apart(const JsonReader::Token& token, std::string_view separator);

  LineBuffer& out_;
  std::size_t begin_;
  std::string_view run_;  // that stands so in the text, and is not copied yet
  char next_ = '\0';      // what separates the next token, unless that is an end
};

// Appends the one value that `json` is, its bytes as they are but for the white space between its
// tokens and what some readers refuse: an escape of half a surrogate pair becomes that of U+FFFD, a
// number that is no double's a string. False where it is not JSON or nested too deep, with
// nothing appended.
bool append_record_json(LineBuffer& out, std::string_view json);

// Appends the inside of a JSON string that was put together of the insides of several, valid each;
// halves of surrogate pairs that found no other half become U+FFFD.
void append_joined(LineBuffer& out, std::string_view escaped);

// How many bytes of the text's beginning hold no part of a UTF-8 character that its end cuts off.
std::size_t whole_characters(std::string_view text) noexcept;

}  // namespace aifd::protocol
