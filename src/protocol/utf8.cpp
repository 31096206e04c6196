#include "utf8.hpp"

#include <algorithm>

namespace aifd::protocol {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kMostReplacements = 4096;

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

}  // namespace

void append_utf8(std::string& out, unsigned code_point) {
  const auto append = [&](unsigned byte) { out += static_cast<char>(byte); };
  const auto append_rest = [&](unsigned shift) { append(0x80 | ((code_point >> shift) & 0x3F)); };
  if (is_high_surrogate(code_point) || is_low_surrogate(code_point)) code_point = 0xFFFD;
  if (code_point < 0x80) {
    append(code_point);
  } else if (code_point < 0x800) {
    append(0xC0 | (code_point >> 6));
    append_rest(0);
  } else if (code_point < 0x10000) {
    append(0xE0 | (code_point >> 12));
    append_rest(6);
    append_rest(0);
  } else {
    append(0xF0 | (code_point >> 18));
    append_rest(12);
    append_rest(6);
    append_rest(0);
  }
}

std::size_t append_character(std::string& out, std::string_view text) {
  const Sequence sequence = read_utf8(text);
  out += sequence.is_whole ? text.substr(0, sequence.bytes) : kReplacement;
  return sequence.bytes;
}

std::string with_replacements(std::string_view text) {
  std::string valid;
  for (std::size_t left = kMostReplacements; !text.empty();) {
    const auto plain = std::ranges::find_if(text, [](char c) { return (c & 0x80) != 0; });
    const auto size = static_cast<std::size_t>(plain - text.begin());
    valid += text.substr(0, size);
    text.remove_prefix(size);
    if (text.empty()) break;
    const Sequence sequence = read_utf8(text);
    if (!sequence.is_whole && left-- == 0) return {};
    text.remove_prefix(append_character(valid, text));
  }
  return valid;
}

}  // namespace aifd::protocol
