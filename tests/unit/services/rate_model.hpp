// The strategies once more, slow and plain: each answer is computed anew from all that ever
// happened, in whole numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::services {

// One caller under one limit; times and the window in nanoseconds.
class LimitModel {
 public:
  LimitModel(config::RateLimitStrategy strategy, std::int64_t count, std::int64_t window)
      : strategy_(strategy), count_(count), window_(window) {}

  bool admits(std::int64_t now) const;
  void add_admitted(std::int64_t now) { events_.push_back({now, true}); }
  void add_refused(std::int64_t now) { events_.push_back({now, false}); }

  // How many requests are admitted if no other comes and none comes later than now.
  std::int64_t admitted_at(std::int64_t now) const;

  std::int64_t count() const { return count_; }

 private:
  __extension__ typedef __int128 Wide;

  struct Event {
    std::int64_t time;
    bool admitted;
  };

  std::int64_t admitted_between(std::int64_t from, std::int64_t to) const;
  bool fixed_admits(std::int64_t now, bool elastic) const;
  bool sliding_admits(std::int64_t now) const;
  bool gcra_admits(std::int64_t now) const;

  config::RateLimitStrategy strategy_;
  std::int64_t count_;
  std::int64_t window_;
  std::vector<Event> events_;
};

inline std::int64_t LimitModel::admitted_between(std::int64_t from, std::int64_t to) const {
  std::int64_t sum = 0;
  for (const Event& event : events_) sum += event.admitted && from <= event.time && event.time < to;
  return sum;
}

inline bool LimitModel::fixed_admits(std::int64_t now, bool elastic) const {
  std::int64_t end = INT64_MIN;
  std::int64_t used = 0;
  for (const Event& event : events_) {
    const bool anew = event.time >= end;
    if (anew) used = 0;
    if (event.admitted) ++used;
    if ((anew && event.admitted) || elastic) end = event.time + window_;
  }
  return now >= end || used < count_;
}

inline bool LimitModel::sliding_admits(std::int64_t now) const {
  const std::int64_t begin = now / window_ * window_;
  const std::int64_t end = begin + window_;
  const Wide before = admitted_between(begin - window_, begin);
  const Wide used = admitted_between(begin, end);
  return before * (end - now) + (used + 1) * window_ <= Wide{count_} * window_;
}

inline bool LimitModel::gcra_admits(std::int64_t now) const {
  Wide arrival = 0;  // the theoretical one, times the count
  for (const Event& event : events_) {
    if (!event.admitted) continue;
    arrival = std::max(arrival, Wide{event.time} * count_) + window_;
  }
  return arrival - Wide{now} * count_ <= Wide{window_} * count_ - window_;
}

inline bool LimitModel::admits(std::int64_t now) const {
  switch (strategy_) {
    case config::RateLimitStrategy::fixed_window:
      return fixed_admits(now, false);
    case config::RateLimitStrategy::fixed_window_elastic_expiry:
      return fixed_admits(now, true);
    case config::RateLimitStrategy::moving_window:
      return admitted_between(now - window_ + 1, INT64_MAX) < count_;
    case config::RateLimitStrategy::sliding_window_counter:
      return sliding_admits(now);
    case config::RateLimitStrategy::gcra:
      return gcra_admits(now);
  }
  return false;
}

inline std::int64_t LimitModel::admitted_at(std::int64_t now) const {
  LimitModel copy = *this;
  std::int64_t sum = 0;
  while (copy.admits(now)) {
    copy.add_admitted(now);
    ++sum;
  }
  return sum;
}

}  // namespace aifd::services
