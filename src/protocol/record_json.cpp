#include "record_json.hpp"

#include <algorithm>
#include <charconv>

#include "aifd/base/hex.hpp"
#include "aifd/base/words.hpp"

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

}  // namespace

void RecordCopy::take_apart(const Token& token, std::string_view separator) {
  const bool changes = must_change(token);
  if (!changes && token.text.data() == run_.data() + run_.size() + separator.size()) {
    run_ = {run_.data(), run_.size() + separator.size() + token.text.size()};
    return;
  }
  out_.append(run_);
  out_.append(separator);
  if (changes) append_changed(out_, token);
  run_ = token.text.substr(changes ? token.text.size() : 0);
}

bool append_record_json(LineBuffer& out, std::string_view json) {
  const std::size_t begin = out.size();
  JsonReader reader(json, JsonReader::Surrogates::also_alone);
  Token token = reader.next();
  RecordCopy copy(out, token);
  for (; token.kind != Kind::end; token = reader.next()) {
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

}  // namespace aifd::protocol
