#include "aifd/middleware/token_pace.hpp"

#include <algorithm>

#include "aifd/protocol/media_type.hpp"

namespace aifd::middleware {
namespace {

using Kind = protocol::EventSplitter::Kind;

std::optional<Kind> stream_kind(const protocol::Fields& fields) {
  const std::string_view type = protocol::media_type(fields);
  if (protocol::iequals(type, "text/event-stream")) return Kind::sse;
  if (protocol::iequals(type, "application/x-ndjson")) return Kind::lines;
  return std::nullopt;
}

}  // namespace

Clock::duration interval_of(const config::RateLimits& limits) {
  Clock::duration longest{};
  for (const config::RateLimit& limit : limits) {
    const auto interval = std::chrono::duration_cast<Clock::duration>(limit.window) /
                          static_cast<Clock::rep>(limit.count);
    longest = std::max(longest, interval);
  }
  return longest;
}

Result<chain::Verdict> TokenPace::decide(chain::Exchange& exchange) const {
  const services::LimitRule* rule =
      rules_.empty() ? nullptr
                     : rules_.find(exchange.target.path, exchange.route.prefix, exchange.level);
  if (rule == nullptr && chunks_ == config::IterChunkType::efficiency) {
    return chain::Verdict{chain::Pass{}};
  }
  exchange.request.fields.set("Accept-Encoding", "identity");  // events must be seen to be cut
  const Clock::duration interval = rule == nullptr ? Clock::duration{} : interval_of(rule->limits);
  auto tap = std::make_unique<PaceTap>(interval, paces_hits_ ? nullptr : &exchange.cache);
  exchange.set_cutter(*tap);
  exchange.add_tap(std::move(tap));
  return chain::Verdict{chain::Pass{}};
}

void PaceTap::on_head(protocol::ResponseHead& head) {
  if (cache_ != nullptr && *cache_ == chain::CacheUse::hit) return;
  const std::optional<Kind> kind = stream_kind(head.fields);
  streams_ = kind.has_value();
  if (kind) splitter_ = protocol::EventSplitter(*kind);
}

std::size_t PaceTap::cut(std::string_view bytes) noexcept {
  if (!streams_) return bytes.size();
  protocol::EventSplitter ahead = splitter_;
  return ahead.take(bytes);
}

Clock::time_point PaceTap::on_chunk(std::string_view bytes) noexcept {
  if (!streams_) return chain::kAtOnce;
  if (interval_ == Clock::duration{}) {
    splitter_.take(bytes);
    return chain::kAtOnce;
  }
  return due(bytes, Clock::now());
}

Clock::time_point PaceTap::due(std::string_view bytes, Clock::time_point now) noexcept {
  const bool begins_event = splitter_.begins_event(bytes);
  while (!bytes.empty()) bytes.remove_prefix(splitter_.take(bytes));
  if (!begins_event) return chain::kAtOnce;
  last_due_ = begun_ ? std::max(last_due_ + interval_, now - kCatchUp) : now;
  begun_ = true;
  return last_due_;
}

}  // namespace aifd::middleware
