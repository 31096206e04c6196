#include "json_strings.hpp"

#include <algorithm>
#include <cstdint>

#include "aifd/base/words.hpp"

namespace aifd::services {
namespace {

// Of four hex digits.
std::uint32_t read_unit(std::string_view digits) noexcept {
  std::uint32_t value = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value << 4 | static_cast<std::uint32_t>(digit & 15);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

// Takes what stands after "\u", and the other half of a pair.
void append_unit(std::string& out, std::string_view& rest) {
  std::uint32_t code = read_unit(rest);
  rest.remove_prefix(std::min<std::size_t>(4, rest.size()));
  if (code >= 0xD800 && code < 0xDC00 && rest.size() >= 6 && rest.starts_with("\\u")) {
    const std::uint32_t low = read_unit(rest.substr(2));
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      rest.remove_prefix(6);
    }
  }
  append_utf8(out, code);
}

char unescaped(char c) noexcept {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // quote, backslash, slash
  }
}

// The next quote or backslash, or the text's end.
std::size_t find_mark(std::string_view text, std::size_t from) noexcept {
  return find_marked(text, from,
                     [](Bytes bytes) { return mark_equal(bytes, '"') | mark_equal(bytes, '\\'); });
}

}  // namespace

std::optional<JsonString> JsonStrings::next() noexcept {
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    const char c = text_[at_];
    if (c == '{' || c == '[') ++depth_;
    if (c == '}' || c == ']') --depth_;
  }
  if (at_ >= text_.size()) return std::nullopt;
  JsonString found;
  found.at = ++at_;
  for (at_ = find_mark(text_, at_); at_ < text_.size() && text_[at_] == '\\';) {
    found.is_escaped = true;
    at_ = find_mark(text_, std::min(at_ + 2, text_.size()));
  }
  found.raw = text_.substr(found.at, at_ - found.at);
  ++at_;
  const std::size_t after = text_.find_first_not_of(" \t\r\n", at_);
  found.is_name = after != std::string_view::npos && text_[after] == ':';
  found.is_own_name = depth_ == 1 && found.is_name;
  if (found.is_own_name) name_ = found.raw;
  if (depth_ == 1 && !found.is_name) found.member = name_;
  return found;
}

std::string unescape_json(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  while (!raw.empty()) {
    const std::size_t backslash = raw.find('\\');
    text += raw.substr(0, backslash);
    if (backslash == std::string_view::npos || backslash + 1 == raw.size()) break;
    const char kind = raw[backslash + 1];
    raw.remove_prefix(backslash + 2);
    if (kind == 'u') {
      append_unit(text, raw);
    } else {
      text += unescaped(kind);
    }
  }
  return text;
}

}  // namespace aifd::services
