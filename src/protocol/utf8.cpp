#include "utf8.hpp"

namespace aifd::protocol {

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

}  // namespace aifd::protocol
