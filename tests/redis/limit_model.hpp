// What each strategy means, written to be seen through and not to be fast: one limit, one caller,
// times in microseconds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::test {

using Us = std::int64_t;
__extension__ typedef __int128 Wide;

class LimitModel {
 public:
  LimitModel(std::int64_t count, Us window) : count_(count), window_(window) {}
  virtual ~LimitModel() = default;

  virtual std::unique_ptr<LimitModel> copy() const = 0;
  virtual bool admits(Us now) const = 0;
  virtual void hit(Us now) = 0;
  virtual void refuse(Us) {}

  std::int64_t remaining(Us now) const {
    const auto trial = copy();
    std::int64_t hits = 0;
    for (; trial->admits(now); ++hits) trial->hit(now);
    return hits;
  }

  // The microseconds until it admits a request, and until it admits all it ever does.
  Us wait(Us now) const {
    return first(now, [this](Us t) { return admits(t); }) - now;
  }
  Us reset(Us now) const {
    return first(now, [this](Us t) { return remaining(t) == count_; }) - now;
  }

 protected:
  // The earliest time at which something holds that goes on holding once it does.
  template <class Condition>
  Us first(Us now, Condition holds) const {
    Us early = now - 1;
    Us late = now + 3 * window_;
    while (late - early > 1) {
      const Us middle = early + (late - early) / 2;
      (holds(middle) ? late : early) = middle;
    }
    return late;
  }

  std::int64_t count_;
  Us window_;
};

class FixedWindowModel : public LimitModel {
 public:
  FixedWindowModel(std::int64_t count, Us window, bool elastic)
      : LimitModel(count, window), elastic_(elastic) {}
  std::unique_ptr<LimitModel> copy() const override {
    return std::make_unique<FixedWindowModel>(*this);
  }
  bool admits(Us now) const override { return now >= ends_ || hits_ < count_; }
  void hit(Us now) override {
    if (now >= ends_) {
      hits_ = 0;
      ends_ = now + window_;
    }
    ++hits_;
    if (elastic_) ends_ = now + window_;
  }
  void refuse(Us now) override {
    if (elastic_) ends_ = now + window_;
  }

 private:
  bool elastic_;
  std::int64_t hits_ = 0;
  Us ends_ = 0;
};

class MovingWindowModel : public LimitModel {
 public:
  using LimitModel::LimitModel;
  std::unique_ptr<LimitModel> copy() const override {
    return std::make_unique<MovingWindowModel>(*this);
  }
  bool admits(Us now) const override {
    return std::ranges::count_if(hits_, [&](Us t) { return t + window_ > now; }) < count_;
  }
  void hit(Us now) override { hits_.push_back(now); }

 private:
  std::vector<Us> hits_;
};

class SlidingWindowModel : public LimitModel {
 public:
  using LimitModel::LimitModel;
  std::unique_ptr<LimitModel> copy() const override {
    return std::make_unique<SlidingWindowModel>(*this);
  }
  bool admits(Us now) const override {
    const Us index = now / window_;
    const auto in = [&](Us which) {
      return Wide(std::ranges::count_if(hits_, [&](Us t) { return t / window_ == which; }));
    };
    const Us left = (index + 1) * window_ - now;
    return in(index - 1) * left + (in(index) + 1) * window_ <= Wide(count_) * window_;
  }
  void hit(Us now) override { hits_.push_back(now); }

 private:
  std::vector<Us> hits_;
};

class GcraModel : public LimitModel {
 public:
  using LimitModel::LimitModel;
  std::unique_ptr<LimitModel> copy() const override { return std::make_unique<GcraModel>(*this); }
  bool admits(Us now) const override {
    return start(now) - Wide(now) * count_ <= Wide(window_) * count_ - window_;
  }
  void hit(Us now) override { arrival_ = start(now) + window_; }

 private:
  // Times `count`, so that it is whole.
  Wide start(Us now) const { return std::max(arrival_, Wide(now) * count_); }
  Wide arrival_ = 0;
};

inline std::unique_ptr<LimitModel> make_model(config::RateLimitStrategy strategy,
                                              const config::RateLimit& limit) {
  using enum config::RateLimitStrategy;
  const auto count = static_cast<std::int64_t>(limit.count);
  const Us window = std::chrono::microseconds(limit.window).count();
  switch (strategy) {
    case fixed_window:
      return std::make_unique<FixedWindowModel>(count, window, false);
    case fixed_window_elastic_expiry:
      return std::make_unique<FixedWindowModel>(count, window, true);
    case moving_window:
      return std::make_unique<MovingWindowModel>(count, window);
    case sliding_window_counter:
      return std::make_unique<SlidingWindowModel>(count, window);
    case gcra:
      break;
  }
  return std::make_unique<GcraModel>(count, window);
}

}  // namespace aifd::test
