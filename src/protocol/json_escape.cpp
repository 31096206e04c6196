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

}  // namespace

// Nearly all text is plain, and goes over in one piece.
void append_json_escaped(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t plain = find_marked(text, 0, mark_json_escaped);
    out.append(text.data(), plain);
    if (plain == text.size()) return;
    text.remove_prefix(plain);
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
