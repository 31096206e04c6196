// The numbers of one embedding in the form in which they are stored, and in the two in which
// clients read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Little-endian, one number behind the other.
struct PackedNumbers {
  enum class Type : std::uint8_t { float32, float64 };
  Type type = Type::float32;
  std::string bytes;
};

inline constexpr std::size_t kMostDimensions = 999'999;

constexpr std::size_t size_of(PackedNumbers::Type type) noexcept {
  return type == PackedNumbers::Type::float32 ? 4 : 8;
}

// Nothing is stored that both forms could not say: numbers are finite as float32 too.
bool fits_float32(double number) noexcept;

// As float32 where all the numbers are exactly that, else as float64. They fit float32.
PackedNumbers pack(std::span<const double> numbers);

// `text`: base64 of float32. nullopt where it is not, is empty, or has numbers that do not fit.
std::optional<PackedNumbers> pack_base64(std::string_view text);

// Whether `bytes` are packed numbers: some, whole ones, at most kMostDimensions, all of which fit.
bool are_packed(PackedNumbers::Type type, std::string_view bytes) noexcept;

// A list of JSON numbers, each the shortest that reads back as the same double, with a point or an
// exponent ("1.0"): float32 and base64 readers get the same numbers to the last bit. `bytes` as
// for are_packed().
void append_as_floats(std::string& out, PackedNumbers::Type type, std::string_view bytes);

// A JSON string; of float64 the nearest float32.
void append_as_base64(std::string& out, PackedNumbers::Type type, std::string_view bytes);

}  // namespace aifd::protocol
