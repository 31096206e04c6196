// Searches that look at sixteen bytes of a text at once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace aifd {

using Bytes [[gnu::vector_size(16)]] = unsigned char;

inline Bytes load_bytes(const char* sixteen) noexcept {
  Bytes bytes;
  std::memcpy(&bytes, sixteen, sizeof bytes);
  return bytes;
}

// These set all bits of each byte that is meant, and none of the others.
inline Bytes mark_equal(Bytes bytes, char c) noexcept {
  return Bytes(bytes == static_cast<unsigned char>(c));
}
inline Bytes mark_below(Bytes bytes, unsigned char limit) noexcept {
  return Bytes(bytes < limit);
}
inline Bytes mark_not_ascii(Bytes bytes) noexcept {
  return Bytes(bytes >= static_cast<unsigned char>(0x80));
}

// A bit for each byte, that of the first one lowest: whether it is marked.
inline unsigned bits_of(Bytes marks) noexcept {
#if defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_epi8(std::bit_cast<__m128i>(marks)));
#else
  unsigned bits = 0;
  for (unsigned i = 0; i < sizeof marks; ++i) bits |= (marks[i] & 1U) << i;
  return bits;
#endif
}

inline std::size_t first_bit(unsigned bits) noexcept {
  return static_cast<std::size_t>(std::countr_zero(bits));
}

// Marks of this many bytes are looked at together where a search goes far.
inline constexpr std::size_t kBlockBytes = 2 * sizeof(Bytes);

template <class Mark>
std::uint32_t block_bits(const char* block, Mark mark) noexcept {
  return bits_of(mark(load_bytes(block))) | bits_of(mark(load_bytes(block + sizeof(Bytes))))
                                                << sizeof(Bytes);
}

// Of a text's last bytes, less than a block from `at` on.
template <class Mark>
[[gnu::noinline]] std::uint32_t last_marked_bits(std::string_view text, std::size_t at,
                                                 Mark mark) noexcept {
  const std::size_t left = text.size() - at;
  if (text.size() >= kBlockBytes) {
    const std::uint64_t bits = block_bits(text.data() + text.size() - kBlockBytes, mark);
    return static_cast<std::uint32_t>(bits >> (kBlockBytes - left));
  }
  std::array<char, kBlockBytes> block{};
  text.copy(block.data(), left, at);
  return block_bits(block.data(), mark) & ((1U << left) - 1);
}

// A bit for each byte of the block from `at` on that the text has: whether mark(bytes) marks it.
template <class Mark>
std::uint32_t marked_bits(std::string_view text, std::size_t at, Mark mark) noexcept {
  if (text.size() - at < kBlockBytes) [[unlikely]] {
    return last_marked_bits(text, at, mark);
  }
  return block_bits(text.data() + at, mark);
}

// At least sixteen bytes stand before `at`, all of them looked at.
template <class Mark>
[[gnu::noinline]] std::size_t find_marked_far(std::string_view text, std::size_t at,
                                              Mark mark) noexcept {
  for (; text.size() - at >= kBlockBytes; at += kBlockBytes) {
    if (const std::uint32_t bits = block_bits(text.data() + at, mark); bits != 0) {
      return at + first_bit(bits);
    }
  }
  for (; at < text.size(); at += sizeof(Bytes)) {
    const std::size_t begin = std::min(at, text.size() - sizeof(Bytes));
    const unsigned bits = bits_of(mark(load_bytes(text.data() + begin)));
    if (bits != 0) return begin + first_bit(bits);
  }
  return text.size();
}

// Of a text's last bytes, less than sixteen from `at` on.
template <class Mark>
[[gnu::noinline]] std::size_t find_marked_last(std::string_view text, std::size_t at,
                                               Mark mark) noexcept {
  const std::size_t left = text.size() - at;
  unsigned bits = 0;
  if (text.size() >= sizeof(Bytes)) {
    const char* const last = text.data() + text.size() - sizeof(Bytes);
    bits = bits_of(mark(load_bytes(last))) >> (sizeof(Bytes) - left);
  } else {
    Bytes bytes{};
    std::memcpy(&bytes, text.data() + at, left);
    bits = bits_of(mark(bytes)) & ((1U << left) - 1);
  }
  return bits != 0 ? at + first_bit(bits) : text.size();
}

// Where the first byte from `from` on stands that mark(bytes) marks; the text's size where there is
// none. Most often it is near.
template <class Mark>
std::size_t find_marked(std::string_view text, std::size_t from, Mark mark) noexcept {
  if (from == text.size()) return from;
  if (text.size() - from < sizeof(Bytes)) return find_marked_last(text, from, mark);
  const unsigned bits = bits_of(mark(load_bytes(text.data() + from)));
  return bits != 0 ? from + first_bit(bits) : find_marked_far(text, from + sizeof(Bytes), mark);
}

// As find_place(), of less than sixteen places from `at` on.
template <class Marks>
std::size_t find_last_place(std::string_view text, std::size_t at, std::size_t places,
                            Marks marks_of) {
  const std::size_t left = places - at;
  unsigned bits = 0;
  if (places >= sizeof(Bytes)) {
    const char* const last = text.data() + places - sizeof(Bytes);
    bits = bits_of(marks_of(last)) >> (sizeof(Bytes) - left);
  } else {
    std::string padded(text.substr(at));
    padded.resize(padded.size() + sizeof(Bytes));
    bits = bits_of(marks_of(padded.data())) & ((1U << left) - 1);
  }
  return bits == 0 ? std::string_view::npos : at + first_bit(bits);
}

// Where the first place from `from` on is that marks_of(place) marks; npos where there is none. It
// looks at sixteen places at once, at no more than so many bytes from each on, and all of these lie
// in the text.
template <class Marks>
std::size_t find_place(std::string_view text, std::size_t from, std::size_t bytes, Marks marks_of) {
  constexpr std::size_t kOne = sizeof(Bytes);
  if (text.size() < bytes || from > text.size() - bytes) return std::string_view::npos;
  const std::size_t places = text.size() - bytes + 1;
  const auto marks = [&](std::size_t at) { return marks_of(text.data() + at); };
  const auto marks_of_four = [&](std::size_t at) {
    return marks(at) | marks(at + kOne) | marks(at + 2 * kOne) | marks(at + 3 * kOne);
  };
  std::size_t at = from;
  while (places - at >= 4 * kOne && bits_of(marks_of_four(at)) == 0) at += 4 * kOne;
  for (; places - at >= kOne; at += kOne) {
    if (const unsigned bits = bits_of(marks(at)); bits != 0) return at + first_bit(bits);
  }
  return find_last_place(text, at, places, marks_of);
}

}  // namespace aifd
