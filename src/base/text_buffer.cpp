#include "aifd/base/text_buffer.hpp"

#include <algorithm>

#include "aifd/base/decimal.hpp"

namespace aifd {

namespace {

constexpr std::size_t kMostDigits = 20;

// Gives the digits' end, behind which there is room for one byte more.
char* put_number(char* at, std::uint64_t value) noexcept {
  if (value < 1000) return put_small_number(at, value);
  return put_three_digits(put_number(at, value / 1000), value % 1000);
}

}  // namespace

void TextBuffer::number(std::uint64_t value) {
  make_room(kMostDigits + 1);
  end_ = put_number(end_, value);
}

void TextBuffer::millis(std::chrono::nanoseconds time) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count() / 1000, 0));
  make_room(kMostDigits + 5);
  char* const point = put_number(end_, micros / 1000);
  *point = '.';
  end_ = put_three_digits(point + 1, micros % 1000);
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
