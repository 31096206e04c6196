#include "record_writer.hpp"

#include <charconv>
#include <string>

#include "aifd/base/decimal.hpp"
#include "aifd/protocol/dialect.hpp"
#include "json_scan.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

// Whether the text from `at` on, behind which there may be anything, needs no escapes.
bool is_plain(const char* at, std::size_t size) {
  for (std::size_t left = size;; left -= sizeof(Bytes), at += sizeof(Bytes)) {
    const Bytes bytes = load_bytes(at);
    const unsigned bits =
        bits_of(mark_string_ends(bytes) | mark_equal(bytes, '\x7F') | mark_not_ascii(bytes));
    if (left <= sizeof(Bytes)) return (bits & ((1U << left) - 1)) == 0;
    if (bits != 0) return false;
  }
}

// Puts the text where there is room for it, and sixteen bytes more, and gives its end; nullptr
// where it needs escapes.
char* put_plain(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return is_plain(at, text.size()) ? at + text.size() : nullptr;
}

}  // namespace

void append_escaped(LineBuffer& out, std::string_view text) {
  if (char* const end = put_plain(out.room(text.size() + sizeof(Bytes)), text)) {
    return out.fill_to(end);
  }
  std::string escaped;
  append_json_escaped(escaped, text);
  out.append(escaped);
}

void RecordWriter::json(const Name& name, std::string_view json) {
  if (!append_record_json(value(name), json)) out_.append("null");
}

void RecordWriter::text(const Name& name, std::string_view text) {
  constexpr std::size_t kQuotes = 2;
  char* const begin = name.put(out_.room(Name::kMostBytes + text.size() + kQuotes + sizeof(Bytes)));
  *begin = '"';
  if (char* const end = put_plain(begin + 1, text)) {
    *end = '"';
    return out_.fill_to(end + 1);
  }
  out_.fill_to(begin + 1);
  append_escaped(out_, text);
  out_.append('"');
}

void RecordWriter::word(const Name& name, std::string_view word) {
  constexpr std::size_t kQuotes = 2;
  char* const begin = name.put(out_.room(Name::kMostBytes + word.size() + kQuotes));
  *begin = '"';
  if (!word.empty()) std::memcpy(begin + 1, word.data(), word.size());
  begin[word.size() + 1] = '"';
  out_.fill_to(begin + word.size() + kQuotes);
}

void RecordWriter::joined(const Name& name, std::string_view escaped) {
  char* const begin = name.put(out_.room(Name::kMostBytes + 1));
  *begin = '"';
  out_.fill_to(begin + 1);
  append_joined(out_, escaped);
  out_.append('"');
}

void RecordWriter::boolean(const Name& name, bool value) {
  this->value(name).append(value ? std::string_view("true") : "false");
}

void RecordWriter::number(const Name& name, std::uint64_t value) {
  constexpr std::size_t kMostDigits = 20;
  char* const begin = name.put(out_.room(Name::kMostBytes + kMostDigits));
  out_.fill_to(std::to_chars(begin, begin + kMostDigits, value).ptr);
}

void RecordWriter::thousandths(const Name& name, std::uint64_t count) {
  constexpr std::size_t kPointAndDigits = 4;
  number(name, count / 1000);
  char* const point = out_.room(kPointAndDigits + 1);
  *point = '.';
  out_.fill_to(put_three_digits(point + 1, count % 1000));
}

void RecordWriter::null(const Name& name) {
  value(name).append("null");
}

void RecordWriter::finish() {
  if (out_.size() == begin_) out_.append(',');
  out_[begin_] = '{';
  out_.append('}');
}

}  // namespace aifd::protocol
