// Lines that wait to be written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace aifd {

// Text that grows at its end. What it once held it has room for again, until release().
class LineBuffer {
 public:
  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - bytes_.get()); }
  bool empty() const noexcept { return size() == 0; }
  // Valid until more is added.
  std::string_view view() const noexcept { return {bytes_.get(), size()}; }

  // Room for so many bytes behind the text, of any value as yet, and how far it was then filled.
  char* room(std::size_t bytes) {
    if (static_cast<std::size_t>(limit_ - end_) < bytes) grow(bytes);
    return end_;
  }
  void fill_to(char* end) noexcept { end_ = end; }

  void append(std::string_view text) {
    char* const begin = room(text.size());
    if (!text.empty()) std::memcpy(begin, text.data(), text.size());
    end_ = begin + text.size();
  }
  void append(char c) {
    *room(1) = c;
    ++end_;
  }

  // One of its bytes.
  char& operator[](std::size_t at) noexcept { return bytes_[at]; }

  // What stands from there on goes, or before there.
  void cut(std::size_t at) noexcept { end_ = bytes_.get() + at; }
  void drop(std::size_t bytes) noexcept {
    const std::size_t left = size() - bytes;
    if (left > 0) std::memmove(bytes_.get(), bytes_.get() + bytes, left);
    cut(left);
  }

  // Gives its memory back where that is more than this. It is empty.
  void release(std::size_t most_bytes) noexcept {
    if (static_cast<std::size_t>(limit_ - end_) <= most_bytes) return;
    bytes_.reset();
    end_ = limit_ = nullptr;
  }

 private:
  static constexpr std::size_t kLeast = 512;

  [[gnu::noinline]] void grow(std::size_t bytes) {
    const std::size_t held = size();
    const std::size_t capacity = std::max(kLeast, 2 * (held + bytes));
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (held > 0) std::memcpy(larger.get(), bytes_.get(), held);
    bytes_ = std::move(larger);
    end_ = bytes_.get() + held;
    limit_ = bytes_.get() + capacity;
  }

  std::unique_ptr<char[]> bytes_;
  char* end_ = nullptr;
  char* limit_ = nullptr;
};

// A line that is put together behind others. Unless it is kept it goes with this.
class NewLine {
 public:
  explicit NewLine(LineBuffer& lines) noexcept : lines_(lines), begin_(lines.size()) {}
  NewLine(const NewLine&) = delete;
  NewLine& operator=(const NewLine&) = delete;
  ~NewLine() { lines_.cut(begin_); }

  LineBuffer& lines() noexcept { return lines_; }  // it is what is appended
  std::string_view text() const noexcept { return lines_.view().substr(begin_); }

  void replace(std::string_view text) {
    lines_.cut(begin_);
    lines_.append(text);
  }

  // With its line feed. Gives its size.
  std::size_t keep() {
    lines_.append('\n');
    return lines_.size() - std::exchange(begin_, lines_.size());
  }

 private:
  LineBuffer& lines_;
  std::size_t begin_;
};

}  // namespace aifd
