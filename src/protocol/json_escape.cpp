#include <cstddef>

#include "aifd/base/words.hpp"
#include "aifd/protocol/dialect.hpp"
#include "utf8.hpp"

namespace aifd::protocol {
namespace {

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

std::size_t plain_length(std::string_view text) noexcept {
  return find_marked(text, 0, [](Bytes bytes) {
    return mark_below(bytes, 0x20) | mark_equal(bytes, '"') | mark_equal(bytes, '\\') |
           mark_equal(bytes, '\x7F') | mark_not_ascii(bytes);
  });
}

// Nearly all text is plain, and goes over in one piece.
void append_plain(std::string& out, std::string_view& text) {
  const std::size_t length = plain_length(text);
  out.append(text.substr(0, length));
  text.remove_prefix(length);
}

}  // namespace

bool needs_no_escape(std::string_view text) noexcept {
  return plain_length(text) == text.size();
}

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
      taken = append_character(out, text);
    }
    text.remove_prefix(taken);
  }
}

}  // namespace aifd::protocol
