#include "aifd/base/text_buffer.hpp"

#include <algorithm>

#include "aifd/base/decimal.hpp"

namespace aifd {

void TextBuffer::number(std::uint64_t value) {
  if (value >= 1000) number(value / 1000);
  make_room(4);
  end_ = value >= 1000 ? put_three_digits(end_, value % 1000) : put_small_number(end_, value);
}

void TextBuffer::millis(std::chrono::nanoseconds time) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count() / 1000, 0));
  number(micros / 1000);
  make_room(5);
  *end_ = '.';
  end_ = put_three_digits(end_ + 1, micros % 1000);
}

void TextBuffer::grow(std::size_t count) {
  const std::size_t size = view().size();
  const std::size_t capacity = 2 * (size + count);
  auto larger = std::make_unique_for_overwrite<char[]>(capacity);
  std::memcpy(larger.get(), begin_, size);
  large_ = std::move(larger);
  begin_ = large_.get();
  end_ = begin_ + size;
  limit_ = begin_ + capacity;
}

}  // namespace aifd
