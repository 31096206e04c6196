// The conversation log's records, put together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "aifd/base/line_buffer.hpp"

namespace aifd::protocol {

// Appends the inside of a JSON string, as append_json_escaped() does.
void append_escaped(LineBuffer& out, std::string_view text);

// The beginning of a record's member, or with a value, as JSON, all of it. Made at compile time.
class RecordName {
 public:
  static constexpr std::size_t kMostBytes = 32;

  consteval RecordName(std::string_view name, std::string_view value = {}) {
    for (const std::string_view part :
         {std::string_view(",\""), name, std::string_view("\":"), value}) {
      for (const char c : part) text_[size_++] = c;
    }
  }
  consteval RecordName(const char* name) : RecordName(std::string_view(name)) {}

  // As it stands in the record, after a comma; where there is room for the longest. Gives its end.
  char* put(char* at) const noexcept {
    std::memcpy(at, text_.data(), kMostBytes);
    return at + size_;
  }

 private:
  std::array<char, kMostBytes> text_{};
  std::size_t size_ = 0;
};

// Puts one record together, or an object in it, member by member, at the end of `out`.
class RecordWriter {
 public:
  using Name = RecordName;

  explicit RecordWriter(LineBuffer& out) noexcept : out_(out), begin_(out.size()) {}

  // `json` is what append_record_json() takes; null where it is not that.
  void json(const Name& name, std::string_view json);
  void text(const Name& name, std::string_view text);       // not escaped, of any bytes
  void word(const Name& name, std::string_view word);       // that needs no escapes
  void joined(const Name& name, std::string_view escaped);  // what append_joined() takes
  void boolean(const Name& name, bool value);
  void number(const Name& name, std::uint64_t value);
  void thousandths(const Name& name, std::uint64_t count);  // a number with three decimals
  void null(const Name& name);

  // null, or left out, where it is empty.
  void text_or_null(const Name& name, std::string_view text) {
    text.empty() ? null(name) : this->text(name, text);
  }
  void text_if_any(const Name& name, std::string_view text) {
    if (!text.empty()) this->text(name, text);
  }
  void word_if_any(const Name& name, std::string_view word) {
    if (!word.empty()) this->word(name, word);
  }
  void joined_or_null(const Name& name, std::string_view escaped) {
    escaped.empty() ? null(name) : joined(name, escaped);
  }
  void joined_if_any(const Name& name, std::string_view escaped) {
    if (!escaped.empty()) joined(name, escaped);
  }

  // Begins a member whose value the caller appends, valid and without line feeds.
  LineBuffer& value(const Name& name) {
    out_.fill_to(name.put(out_.room(Name::kMostBytes)));
    return out_;
  }
  // A member that has its value.
  void whole(const Name& member) { value(member); }

  void finish();

 private:
  LineBuffer& out_;
  std::size_t begin_;  // where the brace will stand instead of a comma
};

}  // namespace aifd::protocol
