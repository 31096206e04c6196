#include "aifd/base/shared_text.hpp"

namespace aifd {

SharedText SharedText::copy_of(std::string_view text) {
  if (text.empty()) return {};
  GrowingText copy;
  copy.append(text);
  return copy.share();
}

// At least doubled, so that a long text is moved a few times only.
void GrowingText::make_room(std::size_t bytes) {
  if (capacity_ - size_ >= bytes) return;
  const std::size_t capacity = std::max(size_ + bytes, 2 * capacity_);
  auto larger = std::make_shared_for_overwrite<char[]>(capacity);
  std::ranges::copy(view(), larger.get());
  bytes_ = std::move(larger);
  capacity_ = capacity;
}

void GrowingText::append(std::string_view text) {
  make_room(text.size());
  std::ranges::copy(text, bytes_.get() + size_);
  size_ += text.size();
}

}  // namespace aifd
