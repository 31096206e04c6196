// When one caller's requests were admitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "aifd/base/clock.hpp"

namespace aifd::services {

// Times in their order, in a ring that grows and shrinks with what it holds: 8 bytes a time, and as
// much again at most. Empty, it holds no memory of its own.
class HitLog {
 public:
  // Most times that one log holds; 16 GiB of them.
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 31;

  std::size_t size() const noexcept { return size_; }

  // index < size(); 0 is the oldest.
  Clock::time_point at(std::size_t index) const noexcept { return times_[slot(index)]; }

  // How many are at or before `time`: these are the oldest. Takes O(log size()).
  std::size_t count_until(Clock::time_point time) const noexcept;

  // Forgets as many of the oldest; count <= size().
  void drop_oldest(std::size_t count);

  // `time` is not before the newest; size() < kMost.
  void add(Clock::time_point time);

 private:
  std::size_t slot(std::size_t index) const noexcept;
  void resize(std::size_t capacity);

  std::unique_ptr<Clock::time_point[]> times_;
  std::uint32_t capacity_ = 0;
  std::uint32_t first_ = 0;  // the slot of the oldest
  std::uint32_t size_ = 0;
};

}  // namespace aifd::services
