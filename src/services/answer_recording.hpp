// What is held of an answer while it comes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::services {

// The bytes of a body from where somebody may still want them. Offsets are of the body.
class BodyWindow {
 public:
  void append(std::string_view bytes) { bytes_.append(bytes); }
  std::uint64_t end() const noexcept { return begin_ + bytes_.size(); }
  // `offset` lies in what is held, or at its end.
  std::string_view from(std::uint64_t offset) const noexcept {
    return std::string_view(bytes_).substr(static_cast<std::size_t>(offset - begin_));
  }

  // May hold on to them until they are half of what is here: never moves more than it drops.
  void drop_before(std::uint64_t offset) {
    const auto unwanted = static_cast<std::size_t>(offset - begin_);
    if (unwanted < bytes_.size() - unwanted) return;
    bytes_.erase(0, unwanted);
    begin_ = offset;
  }

  void fit() { bytes_.shrink_to_fit(); }
  // All of them, where nothing was dropped before.
  std::string take() noexcept { return std::exchange(bytes_, {}); }

 private:
  std::uint64_t begin_ = 0;
  std::string bytes_;
};

// When the pieces of a stream came.
class Rhythm {
 public:
  static constexpr std::size_t kMostBeats = std::size_t{64} * 1024;  // the last has all the rest

  // A piece that begins at `offset`; offsets ascend.
  void note(std::uint64_t offset, Clock::time_point now) {
    if (beats_.empty()) first_ = now;
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - first_).count();
    const auto at_ms = static_cast<std::uint32_t>(
        std::min<std::int64_t>(since, std::numeric_limits<std::uint32_t>::max()));
    if (!beats_.empty() && (beats_.back().at_ms == at_ms || beats_.size() == kMostBeats)) return;
    beats_.push_back({offset, at_ms});
  }

  std::vector<StreamBeat> take() {
    beats_.shrink_to_fit();
    return std::exchange(beats_, {});
  }

 private:
  Clock::time_point first_{};
  std::vector<StreamBeat> beats_;
};

}  // namespace aifd::services
