#include "aifd/protocol/indented_json.hpp"

namespace aifd::protocol {
namespace {

// The length of the string literal that `text` begins with.
std::size_t string_length(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return end + 1;
}

void start_line(std::string& out, std::size_t level) {
  out += '\n';
  out.append(2 * level, ' ');
}

}  // namespace

void append_indented(std::string& out, std::string_view json, std::size_t level) {
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    const bool is_empty = at + 1 < json.size() && (json[at + 1] == ']' || json[at + 1] == '}');
    if (c == '"') {
      const std::size_t length = string_length(json.substr(at));
      out += json.substr(at, length);
      at += length;
      continue;
    }
    if ((c == ']' || c == '}') && level > 0) start_line(out, --level);
    out += c;
    ++at;
    if (c == ',') start_line(out, level);
    if (c == ':') out += ' ';
    if (c != '[' && c != '{') continue;
    if (is_empty) {
      out += json[at++];
    } else {
      start_line(out, ++level);
    }
  }
}

}  // namespace aifd::protocol
