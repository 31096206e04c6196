// Percent-encoding (RFC 3986, 2.1).
#pragma once

#include <string>
#include <string_view>

#include "aifd/base/hex.hpp"
#include "aifd/protocol/fields.hpp"
#include "chars.hpp"

namespace aifd::protocol {

// The byte that the escape at `at` stands for, or -1 where two hex digits do not follow.
inline int percent_byte(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Broken escapes stay as they are, as most servers read them.
inline std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? percent_byte(text, i) : -1;
    decoded += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return decoded;
}

// All but unreserved characters become escapes.
inline std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (kUnreservedChars.has(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4];
    encoded += kHex[byte & 15];
  }
  return encoded;
}

// Whether `text` names `name`, in any case and perhaps percent-encoded.
inline bool percent_iequals(std::string_view text, std::string_view name) {
  if (text.find('%') == std::string_view::npos) return iequals(text, name);
  return text.size() <= 3 * name.size() && iequals(percent_decode(text), name);
}

}  // namespace aifd::protocol
