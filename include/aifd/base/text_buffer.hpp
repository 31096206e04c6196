// A text put together from many pieces.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "aifd/base/words.hpp"

namespace aifd {

// Takes no memory of its own while the text is short: it is made for a function's own use.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;
  ~TextBuffer() = default;

  // Valid until more is added.
  std::string_view view() const noexcept {
    return {begin_, static_cast<std::size_t>(end_ - begin_)};
  }

  // Some pieces, one after another. Inlined, so that a literal is not copied by a call.
  template <class... Pieces>
  [[gnu::always_inline]] void text(const Pieces&... pieces) {
    make_room((std::string_view(pieces).size() + ...));
    char* end = end_;
    ((end = put(end, pieces)), ...);
    end_ = end;
  }

  // Adds the piece if mark(bytes), as of words.hpp, marks none of it. Whether it did.
  template <class Mark>
  bool text_unless(std::string_view piece, Mark mark) {
    make_room(piece.size() + sizeof(Bytes));  // the last block looked at may go so far
    put(end_, piece);
    for (std::size_t at = 0; at < piece.size(); at += sizeof(Bytes)) {
      const unsigned bits = bits_of(mark(load_bytes(end_ + at)));
      const std::size_t left = piece.size() - at;
      if ((left < sizeof(Bytes) ? bits & ((1U << left) - 1) : bits) != 0) return false;
    }
    end_ += piece.size();
    return true;
  }

  void number(std::uint64_t value);

  // Milliseconds with microseconds behind the point: "20.007". What is negative is 0.
  void millis(std::chrono::nanoseconds time);

 private:
  // Where there is room; gives the piece's end.
  [[gnu::always_inline]] static char* put(char* at, std::string_view piece) noexcept {
    if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
    return at + piece.size();
  }

  void make_room(std::size_t count) {
    if (static_cast<std::size_t>(limit_ - end_) < count) grow(count);
  }

  [[gnu::noinline]] void grow(std::size_t count);

  std::array<char, 1024> small_;
  std::unique_ptr<char[]> large_;
  char* begin_ = small_.data();
  char* end_ = begin_;
  char* limit_ = begin_ + small_.size();
};

}  // namespace aifd
