#include <cstddef>

#include "aifd/base/words.hpp"
#include "aifd/protocol/dialect.hpp"

namespace aifd::protocol {
namespace {

bool is_continuation(unsigned char byte, unsigned char low = 0x80, unsigned char high = 0xBF) {
  return byte >= low && byte <= high;
}

struct Sequence {
  std::size_t bytes;  // of the character, or of its longest beginning that is valid
  bool is_whole;
};

// Reads the character of several bytes that `text` begins with (Unicode 15, table 3-7).
Sequence read_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const unsigned char lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;   // overlong
  if (lead == 0xED) high = 0x9F;  // surrogates
  if (lead == 0xF0) low = 0x90;   // overlong
  if (lead == 0xF4) high = 0x8F;  // past U+10FFFF
  if (!is_continuation(byte(1), low, high)) return {1, false};
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(byte(i))) return {i, false};
  }
  return {length, true};
}

void append_control(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default: {
      const auto value = static_cast<unsigned char>(c);
      out += "\\u00";
      out += kHex[value >> 4];
      out += kHex[value & 15];
    }
  }
}

std::size_t plain_length(std::string_view text) {
  return find_marked(text, 0, [](auto words) {
    return mark_below(words, 0x20) | mark_equal(words, '"') | mark_equal(words, '\\') |
           mark_equal(words, '\x7F') | mark_not_ascii(words);
  });
}

// Nearly all text is plain, and goes over in one piece.
void append_plain(std::string& out, std::string_view& text) {
  const std::size_t length = plain_length(text);
  out.append(text.substr(0, length));
  text.remove_prefix(length);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  for (append_plain(out, text); !text.empty(); append_plain(out, text)) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t taken = 1;
    if (c < 0x20 || c == 0x7F) {
      append_control(out, text.front());
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else {
      const Sequence sequence = read_utf8(text);
      taken = sequence.bytes;
      out += sequence.is_whole ? text.substr(0, taken) : std::string_view{"\xEF\xBF\xBD"};
    }
    text.remove_prefix(taken);
  }
}

}  // namespace aifd::protocol
