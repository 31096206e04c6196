#include "base64.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace aifd::protocol {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNotInAlphabet = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotInAlphabet);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
}

std::size_t padding_of(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + begin;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t three =
        byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (const unsigned shift : {18U, 12U, 6U, 0U}) *to++ = kAlphabet[(three >> shift) & 63];
  }
  const std::size_t padding = (3 - bytes.size() % 3) % 3;
  std::fill_n(out.end() - static_cast<std::ptrdiff_t>(padding), padding, '=');
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = padding_of(text);
  std::string bytes(text.size() / 4 * 3, '\0');
  text.remove_suffix(padding);
  char* to = bytes.data();
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t three = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const std::uint8_t value = j < text.size() ? kValues[byte_at(text, j)] : std::uint8_t{0};
      seen |= value;
      three = three << 6 | value;
    }
    for (const unsigned shift : {16U, 8U, 0U}) *to++ = static_cast<char>(three >> shift);
  }
  if (seen == kNotInAlphabet) return std::nullopt;
  // the bits behind the last byte
  if (std::any_of(bytes.end() - static_cast<std::ptrdiff_t>(padding), bytes.end(),
                  [](char c) { return c != 0; })) {
    return std::nullopt;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace aifd::protocol
