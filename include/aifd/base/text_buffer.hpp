// A text put together from many pieces.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

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

  void text(std::string_view piece) {
    make_room(piece.size());
    if (!piece.empty()) std::memcpy(end_, piece.data(), piece.size());
    end_ += piece.size();
  }

  void number(std::uint64_t value) {
    make_room(kMostDigits);
    end_ = std::to_chars(end_, end_ + kMostDigits, value).ptr;
  }

  // Milliseconds with microseconds behind the point: "20.007". What is negative is 0.
  void millis(std::chrono::nanoseconds time) {
    const std::int64_t micros = time.count() / 1000;
    const auto whole = static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 0));
    number(whole / 1000);
    const auto digit = [](std::uint64_t value) { return static_cast<char>('0' + value % 10); };
    const std::array<char, 4> rest{'.', digit(whole / 100), digit(whole / 10), digit(whole)};
    text({rest.data(), rest.size()});
  }

 private:
  static constexpr std::size_t kMostDigits = 20;

  void make_room(std::size_t count) {
    if (static_cast<std::size_t>(limit_ - end_) < count) grow(count);
  }

  void grow(std::size_t count) {
    const std::size_t size = view().size();
    const std::size_t capacity = 2 * (size + count);
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(larger.get(), begin_, size);
    large_ = std::move(larger);
    begin_ = large_.get();
    end_ = begin_ + size;
    limit_ = begin_ + capacity;
  }

  std::array<char, 1024> small_;
  std::unique_ptr<char[]> large_;
  char* begin_ = small_.data();
  char* end_ = begin_;
  char* limit_ = begin_ + small_.size();
};

}  // namespace aifd
