#include "aifd/services/hit_log.hpp"

#include <algorithm>

namespace aifd::services {
namespace {

constexpr std::size_t kSmallest = 2;

}  // namespace

std::size_t HitLog::slot(std::size_t index) const noexcept {
  const std::size_t straight = first_ + index;
  return straight < capacity_ ? straight : straight - capacity_;
}

std::size_t HitLog::count_until(Clock::time_point time) const noexcept {
  std::size_t low = 0;
  std::size_t high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (at(middle) <= time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void HitLog::drop_oldest(std::size_t count) {
  if (count == 0) return;
  first_ = static_cast<std::uint32_t>(slot(count));
  size_ -= static_cast<std::uint32_t>(count);
  // Not at half: a log that wavers about it would be copied at each request.
  if (capacity_ > kSmallest && size_ <= capacity_ / 4)
    resize(std::max(kSmallest, std::size_t{2} * size_));
}

void HitLog::add(Clock::time_point time) {
  if (size_ == capacity_) resize(std::max(kSmallest, std::size_t{capacity_} * 2));
  times_[slot(size_)] = time;
  ++size_;
}

void HitLog::resize(std::size_t capacity) {
  auto times = std::make_unique<Clock::time_point[]>(capacity);
  for (std::size_t i = 0; i < size_; ++i) times[i] = at(i);
  times_ = std::move(times);
  capacity_ = static_cast<std::uint32_t>(capacity);
  first_ = 0;
}

}  // namespace aifd::services
