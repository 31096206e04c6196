// The pace of streamed answers.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/protocol/event_splitter.hpp"
#include "aifd/services/limit_rules.hpp"

namespace aifd::middleware {

// Cuts a stream into its events and gives each its time, as TOKEN_RATE_LIMIT says for the route and
// level. Whole answers are not paced. With ITER_CHUNK_TYPE=one-by-one a stream without a pace is
// cut too: each event is a write of its own.
class TokenPace final : public chain::PromptMiddleware {
 public:
  // `paces_hits`: answers from the cache too; else these go out as the cache says.
  TokenPace(services::LimitRules rules, config::IterChunkType chunks, bool paces_hits = true)
      : rules_(std::move(rules)), chunks_(chunks), paces_hits_(paces_hits) {}
  std::string_view name() const noexcept override { return "token_pace"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  services::LimitRules rules_;
  config::IterChunkType chunks_;
  bool paces_hits_;
};

// The time between two events that keeps all of the limits; zero for none.
Clock::duration interval_of(const config::RateLimits& limits);

// Each event `interval` after the time the one before it was due, so that late timers do not add
// up; an event that comes later than that begins the count anew, but for kCatchUp, which makes up
// for the lateness of this machine and not for pauses of the upstream. Of an event that comes in
// several pieces the first waits.
class PaceTap final : public chain::Tap, public chain::Cutter {
 public:
  static constexpr std::chrono::milliseconds kCatchUp{20};

  // Where `cache` says that the answer is a hit, it is not paced.
  explicit PaceTap(Clock::duration interval, const chain::CacheUse* cache = nullptr) noexcept
      : interval_(interval), cache_(cache) {}

  void on_head(protocol::ResponseHead& head) override;
  std::size_t cut(std::string_view bytes) noexcept override;
  Clock::time_point on_chunk(std::string_view bytes) noexcept override;

  // on_chunk() at a given time.
  Clock::time_point due(std::string_view bytes, Clock::time_point now) noexcept;

 private:
  Clock::duration interval_;
  const chain::CacheUse* cache_;
  bool streams_ = false;
  bool begun_ = false;
  Clock::time_point last_due_{};
  protocol::EventSplitter splitter_;
};

}  // namespace aifd::middleware
