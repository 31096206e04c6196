// Searches that look at eight bytes of a text at once.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace aifd {

// Eight bytes, the first of them lowest; and two such.
using Word = std::uint64_t;
using WordPair [[gnu::vector_size(16)]] = Word;

constexpr Word repeated(unsigned char byte) noexcept {
  return ~Word{0} / 0xFF * byte;
}

// These set the high bit of each byte that is meant. Behind the first one of a word they may set
// others, which are not; so only the first counts, also where several marks are joined by "or".
// Characters and limits are of ASCII. (Known as "haszero" and "hasless".)
template <class Words>
constexpr Words mark_equal(Words words, char c) noexcept {
  const Word same = repeated(static_cast<unsigned char>(c));
  return ((words ^ same) - repeated(1)) & ~words & repeated(0x80);
}
template <class Words>
constexpr Words mark_below(Words words, unsigned char limit) noexcept {
  return (words - repeated(limit)) & ~words & repeated(0x80);
}

template <class Words>
constexpr Words mark_not_ascii(Words words) noexcept {
  return words & repeated(0x80);
}

// The word of so many bytes, at most eight; zeros stand for the others.
inline Word load_word(const char* bytes, std::size_t count) noexcept {
  Word word = 0;
  std::memcpy(&word, bytes, count);
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

inline std::size_t first_marked(Word marks) noexcept {
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

template <class Mark>
bool has_marked(const char* pair, Mark mark) noexcept {
  WordPair words;
  std::memcpy(&words, pair, sizeof words);
  const WordPair marks = mark(words);
  return (marks[0] | marks[1]) != 0;
}

template <class Mark>
[[gnu::noinline]] std::size_t find_marked_far(std::string_view text, std::size_t at,
                                              Mark mark) noexcept {
  constexpr std::size_t kPair = sizeof(WordPair);
  while (text.size() - at >= kPair && !has_marked(text.data() + at, mark)) at += kPair;
  for (; text.size() - at >= sizeof(Word); at += sizeof(Word)) {
    const Word marks = mark(load_word(text.data() + at, sizeof(Word)));
    if (marks != 0) return at + first_marked(marks);
  }
  if (at == text.size()) return at;
  const Word marks = mark(load_word(text.data() + at, text.size() - at));
  return std::min(at + first_marked(marks), text.size());
}

// Where the first byte from `from` on stands that mark(words) marks; the text's size where there is
// none. Most often it is near.
template <class Mark>
std::size_t find_marked(std::string_view text, std::size_t from, Mark mark) noexcept {
  std::size_t at = from;
  for (int word = 0; word < 4 && text.size() - at >= sizeof(Word); ++word) {
    const Word marks = mark(load_word(text.data() + at, sizeof(Word)));
    if (marks != 0) return at + first_marked(marks);
    at += sizeof(Word);
  }
  return find_marked_far(text, at, mark);
}

}  // namespace aifd
