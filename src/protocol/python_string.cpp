#include "python_string.hpp"

#include <algorithm>

#include "aifd/base/hex.hpp"
#include "aifd/protocol/dialect.hpp"
#include "chars.hpp"
#include "utf8.hpp"

namespace aifd::protocol {
namespace {

// What a string may not hold as it is, and the characters that end a run of plain ones.
constexpr CharClass kEndsRun{[](unsigned char c) {
  return c == '\\' || c == '\'' || c == '"' || c == '\n' || c == '\r' || c == '\0';
}};

void append_character(std::string& out, unsigned code_point) {
  std::string character;
  append_utf8(character, code_point);
  append_json_escaped(out, character);
}

// Of the escape that `text` begins with: its length, 0 where it is none, and what it stands for.
struct Escape {
  std::size_t length = 0;
  unsigned code_point = 0;
};

Escape read_hex(std::string_view text, std::size_t digits) {
  Escape escape{2 + digits, 0};
  if (text.size() < escape.length) return {};
  for (const char c : text.substr(2, digits)) {
    const int value = hex_value(c);
    if (value < 0) return {};
    escape.code_point = escape.code_point * 16 + static_cast<unsigned>(value);
  }
  return escape.code_point > 0x10FFFF ? Escape{} : escape;
}

// One to three digits.
Escape read_octal(std::string_view text) {
  Escape escape{1, 0};
  while (escape.length < std::min<std::size_t>(text.size(), 4) && text[escape.length] >= '0' &&
         text[escape.length] <= '7') {
    escape.code_point = escape.code_point * 8 + static_cast<unsigned>(text[escape.length++] - '0');
  }
  return escape.length > 1 ? escape : Escape{};
}

Escape read_escape(std::string_view text) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv";
  constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  if (text.size() < 2) return {};
  const std::size_t known = kLetters.find(text[1]);
  if (known != std::string_view::npos) return {2, static_cast<unsigned char>(kMeanings[known])};
  switch (text[1]) {
    case 'x':
      return read_hex(text, 2);
    case 'u':
      return read_hex(text, 4);
    case 'U':
      return read_hex(text, 8);
    default:
      return read_octal(text);
  }
}

}  // namespace

PythonString read_python_string(std::string_view text, std::string& out) {
  const char quote = text.front();
  out += '"';
  for (std::size_t at = 1;;) {
    const auto* const end =
        std::find_if(text.begin() + at, text.end(), [](char c) { return kEndsRun.has(c); });
    const auto run = static_cast<std::size_t>(end - text.begin()) - at;
    append_json_escaped(out, text.substr(at, run));
    at += run;
    if (at == text.size()) return {at, "the text ends inside a string"};
    if (text[at] == quote) {
      out += '"';
      return {at + 1, {}};
    }
    if (text[at] == '\\') {
      const Escape escape = read_escape(text.substr(at));
      if (escape.length == 0) return {at, "an escape that repr() does not write"};
      append_character(out, escape.code_point);
      at += escape.length;
    } else if (text[at] == '\'' || text[at] == '"') {  // the other quote
      append_character(out, static_cast<unsigned char>(text[at++]));
    } else {
      return {at, "a line end or NUL inside a string"};
    }
  }
}

}  // namespace aifd::protocol
