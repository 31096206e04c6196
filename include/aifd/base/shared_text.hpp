// Large texts that are read once and then belong to several.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace aifd {

// A text that nobody changes. Copies of it share its bytes, across threads too.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::shared_ptr<const char[]> bytes, std::size_t size) noexcept
      : bytes_(std::move(bytes)), size_(size) {}
  static SharedText copy_of(std::string_view text);

  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::shared_ptr<const char[]> bytes_;
  std::size_t size_ = 0;
};

// A text that grows, by what is appended or read straight into its room, until it is shared.
class GrowingText {
 public:
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  bool empty() const noexcept { return size_ == 0; }

  // Makes room for so many bytes behind the text.
  void make_room(std::size_t bytes);
  // What lies behind the text: bytes of any value, which may be written and then taken.
  std::span<char> room() const noexcept { return {bytes_.get() + size_, capacity_ - size_}; }
  void take(std::size_t count) noexcept { size_ += count; }
  void append(std::string_view text);

  // As it is now; afterwards nothing is added.
  SharedText share() const noexcept { return {bytes_, size_}; }

 private:
  std::shared_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace aifd
