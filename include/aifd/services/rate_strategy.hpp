// The ways to count requests against a limit. No locks, no clock: the time is given.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include "aifd/base/clock.hpp"
#include "aifd/config/rate_limit.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/hit_log.hpp"

namespace aifd::services {

// What a strategy without a log keeps, and TokenQuota, which counts tokens.
struct WindowCount {
  Clock::time_point begin{};  // of the window; GCRA: since when the caller has not been idle
  std::uint64_t used = 0;     // admitted since
  std::uint64_t before = 0;   // sliding-window-counter: admitted in the window before this one
};

// What one caller used of one limit. Made by default it is a caller's who never came.
using RateState = std::variant<WindowCount, HitLog>;

// How a caller stands at a moment.
struct Standing {
  std::uint64_t remaining = 0;  // how many requests more would be admitted right now
  Clock::duration reset{};      // until as many as the limit's count would be; zero: now
  Clock::duration wait{};       // until one would be; zero: now
};

// Immutable, for any thread; a state is its owner's, who locks it and asks only one strategy about
// it. The limits are as parse_rate_limits gives them (count and window at least 1, windows of 100
// years at most), and `now` does not go back from call to call for one state. All arithmetic is
// exact.
class RateStrategy {
 public:
  virtual ~RateStrategy() = default;

  virtual bool admits(const RateState& state, const config::RateLimit& limit,
                      Clock::time_point now) const noexcept = 0;

  // Counts an admitted request.
  virtual void count(RateState& state, const config::RateLimit& limit,
                     Clock::time_point now) const = 0;

  // Takes note of a request that this very limit refused.
  virtual void note_refusal(RateState& /*state*/, Clock::time_point /*now*/) const noexcept {}

  // Once the reset is over, the state has no influence any more.
  virtual Standing standing(const RateState& state, const config::RateLimit& limit,
                            Clock::time_point now) const noexcept = 0;
};

// fixed-window: the first request begins a window; the first after its end begins the next.
// fixed-window-elastic-expiry: the same, but every request, also a refused one, puts the window's
//   end off to a whole window from now.
// moving-window: the time of every admitted request is kept, so that no stretch of time as long as
//   the window ever has more than the count. A count over HitLog::kMost is taken as that.
// sliding-window-counter: windows stand fixed on the clock; the one before weighs as much as of it
//   the moving window would still cover. Admits what does not bring that sum over the count. (The
//   Python library `limits` rounds the sum down first, which lets pass up to one request more.)
// gcra: as many as the count at once, then one each window / count; unused ones come back at that
//   pace (the generic cell rate algorithm, ITU-T I.371).
std::unique_ptr<const RateStrategy> make_rate_strategy(config::RateLimitStrategy strategy);

}  // namespace aifd::services
