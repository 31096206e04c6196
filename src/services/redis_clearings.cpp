#include "redis_clearings.hpp"

#include <algorithm>
#include <utility>

namespace aifd::services {

std::uint64_t RedisClearings::ask() {
  const std::scoped_lock lock(mutex_);
  return ++asked_;
}

std::optional<std::uint64_t> RedisClearings::begin() {
  const std::scoped_lock lock(mutex_);
  if (begun_ == asked_) return std::nullopt;
  begun_ = asked_;
  return begun_;
}

void RedisClearings::done(std::uint64_t number, CacheClearing outcome) {
  const std::scoped_lock lock(mutex_);
  done_ = std::max(done_, number);
  last_ = std::move(outcome);
}

void RedisClearings::end() {
  const std::scoped_lock lock(mutex_);
  ended_ = true;
}

std::optional<CacheClearing> RedisClearings::outcome(std::uint64_t number) const {
  const std::scoped_lock lock(mutex_);
  if (done_ >= number) return last_;
  if (ended_) return CacheClearing{std::nullopt, "aifd ended before it was cleared"};
  return std::nullopt;
}

}  // namespace aifd::services
