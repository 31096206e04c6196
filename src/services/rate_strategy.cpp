#include "aifd/services/rate_strategy.hpp"

#include <algorithm>

namespace aifd::services {
namespace {

using config::RateLimit;
using Duration = Clock::duration;
using TimePoint = Clock::time_point;

// A count of 10^12 times 100 years in nanoseconds takes 102 bits.
__extension__ typedef __int128 Wide;

// Of what is at least zero, by what is above.
Wide divide_up(Wide dividend, Wide divisor) noexcept {
  return (dividend + divisor - 1) / divisor;
}

Wide window_of(const RateLimit& limit) noexcept {
  return Duration(limit.window).count();
}

std::uint64_t what_is_left(Wide count, Wide used) noexcept {
  return used < count ? static_cast<std::uint64_t>(count - used) : 0;
}

Duration duration(Wide nanoseconds) noexcept {
  return Duration(static_cast<Duration::rep>(nanoseconds));
}

class FixedWindow final : public RateStrategy {
 public:
  explicit FixedWindow(bool elastic) : elastic_(elastic) {}

  bool admits(const RateState& state, const RateLimit& limit,
              TimePoint now) const noexcept override {
    const auto& window = std::get<WindowCount>(state);
    return !runs(window, limit, now) || window.used < limit.count;
  }

  void count(RateState& state, const RateLimit& limit, TimePoint now) const override {
    auto& window = std::get<WindowCount>(state);
    const bool anew = !runs(window, limit, now);
    if (anew) window.used = 0;
    if (anew || elastic_) window.begin = now;
    ++window.used;
  }

  void note_refusal(RateState& state, TimePoint now) const noexcept override {
    if (elastic_) std::get<WindowCount>(state).begin = now;
  }

  Standing standing(const RateState& state, const RateLimit& limit,
                    TimePoint now) const noexcept override {
    const auto& window = std::get<WindowCount>(state);
    if (!runs(window, limit, now)) return {limit.count, {}, {}};
    const Duration rest = limit.window - (now - window.begin);
    const std::uint64_t remaining = what_is_left(limit.count, window.used);
    return {remaining, rest, remaining > 0 ? Duration{} : rest};
  }

 private:
  static bool runs(const WindowCount& window, const RateLimit& limit, TimePoint now) noexcept {
    return window.used > 0 && now - window.begin < limit.window;
  }

  const bool elastic_;
};

class MovingWindow final : public RateStrategy {
 public:
  bool admits(const RateState& state, const RateLimit& limit,
              TimePoint now) const noexcept override {
    const auto* log = std::get_if<HitLog>(&state);
    const std::uint64_t most = count_of(limit);
    return log == nullptr || log->size() < most ||
           now - log->at(log->size() - most) >= limit.window;
  }

  void count(RateState& state, const RateLimit& limit, TimePoint now) const override {
    auto* log = std::get_if<HitLog>(&state);
    if (log == nullptr) log = &state.emplace<HitLog>();
    log->drop_oldest(log->count_until(now - limit.window));
    log->add(now);
  }

  Standing standing(const RateState& state, const RateLimit& limit,
                    TimePoint now) const noexcept override {
    const std::uint64_t most = count_of(limit);
    const auto* log = std::get_if<HitLog>(&state);
    const std::size_t over = log == nullptr ? 0 : log->count_until(now - limit.window);
    if (log == nullptr || over == log->size()) return {most, {}, {}};
    const auto rest_of = [&](std::size_t index) { return limit.window - (now - log->at(index)); };
    const std::uint64_t remaining = what_is_left(most, log->size() - over);
    const Duration wait = remaining > 0 ? Duration{} : rest_of(log->size() - most);
    return {remaining, rest_of(log->size() - 1), wait};
  }

 private:
  static std::uint64_t count_of(const RateLimit& limit) noexcept {
    return std::min(limit.count, HitLog::kMost);
  }
};

class SlidingWindowCounter final : public RateStrategy {
 public:
  bool admits(const RateState& state, const RateLimit& limit,
              TimePoint now) const noexcept override {
    const WindowCount window = current(state, limit, now);
    return remaining(window, limit, rest_of(window, limit, now)) > 0;
  }

  void count(RateState& state, const RateLimit& limit, TimePoint now) const override {
    const WindowCount window = current(state, limit, now);
    state = WindowCount{window.begin, window.used + 1, window.before};
  }

  Standing standing(const RateState& state, const RateLimit& limit,
                    TimePoint now) const noexcept override {
    const WindowCount window = current(state, limit, now);
    const Duration rest = rest_of(window, limit, now);
    Standing standing{remaining(window, limit, rest), {}, {}};
    if (window.before > 0) standing.reset = rest;
    if (window.used > 0) standing.reset = rest + limit.window;
    if (standing.remaining == 0) standing.wait = wait(window, limit, rest);
    return standing;
  }

 private:
  // The window that `now` is in, with the one before it.
  static WindowCount current(const RateState& state, const RateLimit& limit,
                             TimePoint now) noexcept {
    const auto& last = std::get<WindowCount>(state);
    const TimePoint begin = now - now.time_since_epoch() % Duration(limit.window);
    if (begin <= last.begin) return last;
    return {begin, 0, begin - last.begin == limit.window ? last.used : 0};
  }

  static Duration rest_of(const WindowCount& window, const RateLimit& limit,
                          TimePoint now) noexcept {
    return limit.window - (now - window.begin);
  }

  static std::uint64_t remaining(const WindowCount& window, const RateLimit& limit,
                                 Duration rest) noexcept {
    const Wide weight =
        window.before == 0 ? 0 : divide_up(Wide{window.before} * rest.count(), window_of(limit));
    return what_is_left(limit.count, weight + window.used);
  }

  // Until a window weighs so little that one more fits in: the window before this one; or this one
  // after its end, if it is full by itself.
  static Duration wait(const WindowCount& window, const RateLimit& limit, Duration rest) noexcept {
    if (window.used < limit.count) {
      const Wide fits = Wide{limit.count} - window.used - 1;
      return rest - duration(fits * window_of(limit) / window.before);
    }
    const Wide fits = Wide{limit.count} - 1;
    return rest + limit.window - duration(fits * window_of(limit) / window.used);
  }
};

// The time until which the caller has used up what comes back (the theoretical arrival time) is
// begin + used * window / count: a fraction that is never rounded, only compared.
class Gcra final : public RateStrategy {
 public:
  bool admits(const RateState& state, const RateLimit& limit,
              TimePoint now) const noexcept override {
    const WindowCount busy = since_idle(state, limit, now);
    return (Wide{busy.used} + 1) * window_of(limit) <= come_back(busy, limit, now);
  }

  void count(RateState& state, const RateLimit& limit, TimePoint now) const override {
    const WindowCount busy = since_idle(state, limit, now);
    state = WindowCount{busy.begin, busy.used + 1, 0};
  }

  Standing standing(const RateState& state, const RateLimit& limit,
                    TimePoint now) const noexcept override {
    const WindowCount busy = since_idle(state, limit, now);
    if (busy.used == 0) return {limit.count, {}, {}};
    const Wide window = window_of(limit);
    const Wide over = come_back(busy, limit, now) - busy.used * window;
    Standing standing{what_is_left(over / window, 0), {}, {}};
    standing.reset = busy.begin - now + duration(divide_up(busy.used * window, limit.count));
    if (standing.remaining == 0) {
      const Wide enough = divide_up((Wide{busy.used} + 1) * window, limit.count);
      standing.wait = busy.begin - now + duration(enough - window);
    }
    return standing;
  }

 private:
  static WindowCount since_idle(const RateState& state, const RateLimit& limit,
                                TimePoint now) noexcept {
    const auto& busy = std::get<WindowCount>(state);
    const Wide passed = (now - busy.begin).count();
    const bool idle = busy.used * window_of(limit) <= passed * limit.count;
    return idle ? WindowCount{now, 0, 0} : busy;
  }

  // What could have been used until now, in requests times the window.
  static Wide come_back(const WindowCount& busy, const RateLimit& limit, TimePoint now) noexcept {
    return (window_of(limit) + (now - busy.begin).count()) * limit.count;
  }
};

}  // namespace

std::unique_ptr<const RateStrategy> make_rate_strategy(config::RateLimitStrategy strategy) {
  switch (strategy) {
    case config::RateLimitStrategy::fixed_window:
      return std::make_unique<FixedWindow>(false);
    case config::RateLimitStrategy::fixed_window_elastic_expiry:
      return std::make_unique<FixedWindow>(true);
    case config::RateLimitStrategy::moving_window:
      return std::make_unique<MovingWindow>();
    case config::RateLimitStrategy::sliding_window_counter:
      return std::make_unique<SlidingWindowCounter>();
    case config::RateLimitStrategy::gcra:
      return std::make_unique<Gcra>();
  }
  return std::make_unique<FixedWindow>(false);
}

}  // namespace aifd::services
