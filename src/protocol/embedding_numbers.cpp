#include "embedding_numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base64.hpp"

namespace aifd::protocol {
namespace {

using Type = PackedNumbers::Type;

template <class Bits>
void store(char* to, Bits bits) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i) to[i] = static_cast<char>(bits >> (8 * i));
}

template <class Bits>
Bits load(const char* from) {
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    bits |= static_cast<Bits>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return bits;
}

double number_at(Type type, std::string_view bytes, std::size_t at) {
  if (type == Type::float32) return std::bit_cast<float>(load<std::uint32_t>(bytes.data() + at));
  return std::bit_cast<double>(load<std::uint64_t>(bytes.data() + at));
}

bool is_float32(double number) {
  return static_cast<double>(static_cast<float>(number)) == number;
}

void append_number(std::string& out, double number) {
  std::array<char, 32> text;
  const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  const std::string_view written(text.data(), static_cast<std::size_t>(end - text.data()));
  out += written;
  if (written.find_first_of(".e") == std::string_view::npos) out += ".0";
}

}  // namespace

bool fits_float32(double number) noexcept {
  return std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max());
}

PackedNumbers pack(std::span<const double> numbers) {
  PackedNumbers packed;
  if (!std::ranges::all_of(numbers, is_float32)) packed.type = Type::float64;
  packed.bytes.resize(numbers.size() * size_of(packed.type));
  char* to = packed.bytes.data();
  for (const double number : numbers) {
    if (packed.type == Type::float32) {
      store(to, std::bit_cast<std::uint32_t>(static_cast<float>(number)));
    } else {
      store(to, std::bit_cast<std::uint64_t>(number));
    }
    to += size_of(packed.type);
  }
  return packed;
}

std::optional<PackedNumbers> pack_base64(std::string_view text) {
  auto bytes = decode_base64(text);
  if (!bytes || !are_packed(Type::float32, *bytes)) return std::nullopt;
  return PackedNumbers{.type = Type::float32, .bytes = *std::move(bytes)};
}

bool are_packed(Type type, std::string_view bytes) noexcept {
  const std::size_t size = size_of(type);
  if (bytes.empty() || bytes.size() % size != 0 || bytes.size() / size > kMostDimensions) {
    return false;
  }
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    if (!fits_float32(number_at(type, bytes, at))) return false;
  }
  return true;
}

void append_as_floats(std::string& out, Type type, std::string_view bytes) {
  char before = '[';
  for (std::size_t at = 0; at < bytes.size(); at += size_of(type)) {
    out += before;
    append_number(out, number_at(type, bytes, at));
    before = ',';
  }
  out += ']';
}

void append_as_base64(std::string& out, Type type, std::string_view bytes) {
  out += '"';
  if (type == Type::float32) {
    append_base64(out, bytes);
  } else {
    std::string narrowed(bytes.size() / 2, '\0');
    for (std::size_t at = 0; at < bytes.size(); at += size_of(type)) {
      const auto number = static_cast<float>(number_at(type, bytes, at));
      store(narrowed.data() + at / 2, std::bit_cast<std::uint32_t>(number));
    }
    append_base64(out, narrowed);
  }
  out += '"';
}

}  // namespace aifd::protocol
