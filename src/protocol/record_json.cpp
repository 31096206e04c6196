#include "record_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "aifd/base/hex.hpp"
#include "aifd/base/words.hpp"
#include "aifd/protocol/dialect.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

constexpr std::string_view kReplacement = "\\ufffd";
constexpr std::size_t kUnitBytes = kReplacement.size();

// Whether an escape \uXXXX stands there whose number lies in the 1,024 from this one on.
bool is_surrogate(std::string_view text, int first) {
  if (text.size() < kUnitBytes || !text.starts_with("\\u")) return false;
  int unit = 0;
  for (std::size_t i = 2; i < kUnitBytes; ++i) unit = unit * 16 + hex_value(text[i]);
  return (unit & ~0x3FF) == first;
}

// Most texts have no escape that begins as \uDxxx does.
bool may_have_surrogates(std::string_view escaped) {
  constexpr unsigned char kSmall = 0x20;
  return find_place(escaped, 0, 3, [](const char* place) {
           return mark_equal(load_bytes(place), '\\') &
                  mark_equal(load_bytes(place + 2) | kSmall, 'd');
         }) != std::string_view::npos;
}

// Of the escape that the text begins with; 0 for half a pair.
std::size_t escape_bytes(std::string_view text) {
  if (!text.starts_with("\\u")) return 2;
  if (is_surrogate(text, 0xDC00)) return 0;
  if (!is_surrogate(text, 0xD800)) return kUnitBytes;
  return is_surrogate(text.substr(kUnitBytes), 0xDC00) ? 2 * kUnitBytes : 0;
}

bool is_out_of_range(std::string_view number) {
  constexpr std::size_t kMostDigits = 300;  // without an exponent these fit
  const auto is_exponent = [](char c) { return (c | 0x20) == 'e'; };
  if (number.size() < kMostDigits && std::ranges::none_of(number, is_exponent)) return false;
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  return read.ec == std::errc::result_out_of_range;
}

// Whether it may not stand in a record as it is.
bool must_change(const Token& token) {
  return token.has_surrogates || (token.kind == Kind::number && is_out_of_range(token.text));
}

void append_changed(LineBuffer& out, const Token& token) {
  if (token.has_surrogates) return append_joined(out, token.text);
  out.append('"');
  out.append(token.text);
  out.append('"');
}

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

bool needs_comma(Kind kind, Kind before) {
  if (kind == Kind::end_object || kind == Kind::end_array) return false;
  return before != Kind::begin_object && before != Kind::begin_array;
}

}  // namespace

void RecordCopy::take(const Token& token) {
  const bool has_colon = before_ == Kind::name;
  const bool has_separator = has_colon || needs_comma(token.kind, before_);
  before_ = token.kind;
  const bool changes = must_change(token);
  if (!changes && token.text.data() == run_.data() + run_.size() + has_separator) {
    run_ = {run_.data(), run_.size() + has_separator + token.text.size()};
    return;
  }
  out_.append(run_);
  if (has_separator) out_.append(has_colon ? ':' : ',');
  if (changes) append_changed(out_, token);
  run_ = token.text.substr(changes ? token.text.size() : 0);
}

std::string_view RecordCopy::finish() {
  if (out_.size() == begin_) return run_;
  out_.append(run_);
  return {};
}

bool append_record_json(LineBuffer& out, std::string_view json) {
  const std::size_t begin = out.size();
  JsonReader reader(json, JsonReader::Surrogates::also_alone);
  RecordCopy copy(out);
  for (Token token = reader.next(); token.kind != Kind::end; token = reader.next()) {
    if (token.kind == Kind::invalid || reader.depth() > kMostRecordDepth) {
      out.cut(begin);
      return false;
    }
    copy.take(token);
  }
  out.append(copy.finish());
  return true;
}

void append_joined(LineBuffer& out, std::string_view escaped) {
  const std::string_view rest = escaped.substr(std::min(escaped.find('\\'), escaped.size()));
  if (rest.empty() || !may_have_surrogates(rest)) {
    return out.append(escaped);
  }
  std::size_t from = 0;
  for (std::size_t at = escaped.find('\\'); at < escaped.size(); at = escaped.find('\\', at)) {
    const std::size_t length = escape_bytes(escaped.substr(at));
    if (length > 0) {
      at += length;
      continue;
    }
    out.append(escaped.substr(from, at - from));
    out.append(kReplacement);
    at += kUnitBytes;
    from = at;
  }
  out.append(escaped.substr(from));
}

void append_escaped(LineBuffer& out, std::string_view text) {
  if (char* const end = put_plain(out.room(text.size() + sizeof(Bytes)), text)) {
    return out.fill_to(end);
  }
  std::string escaped;
  append_json_escaped(escaped, text);
  out.append(escaped);
}

std::size_t whole_characters(std::string_view text) noexcept {
  const std::size_t most = std::min<std::size_t>(text.size(), 3);
  for (std::size_t back = 1; back <= most; ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
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
  value(name).append('"');
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
  number(name, count / 1000);
  const auto digit = [&](std::uint64_t place) {
    return static_cast<char>('0' + count / place % 10);
  };
  const std::array<char, 4> decimals{'.', digit(100), digit(10), digit(1)};
  out_.append({decimals.data(), decimals.size()});
}

void RecordWriter::null(const Name& name) {
  value(name).append("null");
}

void RecordWriter::text_or_null(const Name& name, std::string_view text) {
  text.empty() ? null(name) : this->text(name, text);
}

void RecordWriter::text_if_any(const Name& name, std::string_view text) {
  if (!text.empty()) this->text(name, text);
}

void RecordWriter::word_if_any(const Name& name, std::string_view word) {
  if (!word.empty()) this->word(name, word);
}

void RecordWriter::joined_or_null(const Name& name, std::string_view escaped) {
  escaped.empty() ? null(name) : joined(name, escaped);
}

void RecordWriter::joined_if_any(const Name& name, std::string_view escaped) {
  if (!escaped.empty()) joined(name, escaped);
}

void RecordWriter::finish() {
  if (out_.size() == begin_) out_.append(',');
  out_[begin_] = '{';
  out_.append('}');
}

}  // namespace aifd::protocol
