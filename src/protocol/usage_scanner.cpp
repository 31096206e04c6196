#include "aifd/protocol/usage_scanner.hpp"

namespace aifd::protocol {

UsageScanner::UsageScanner(Dialect dialect) noexcept
    : keys_{UsageKey{R"("usage")", UsageKey::Value::object},
            UsageKey{R"("eval_count")", UsageKey::Value::count, UsageKind::output}},
      key_count_(1),
      event_start_("data:") {
  if (dialect == Dialect::gemini) {
    keys_[0] = {R"("usageMetadata")", UsageKey::Value::object};
  } else if (dialect == Dialect::ollama) {
    keys_[0] = {R"("prompt_eval_count")", UsageKey::Value::count, UsageKind::input};
    key_count_ = 2;
    event_start_ = "{";
  }
}

void UsageScanner::feed(std::string_view bytes) noexcept {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  for (std::size_t i = 0; i < key_count_; ++i) keys_[i].feed(bytes, counts_);
  count_events(bytes);
}

void UsageScanner::count_events(std::string_view bytes) noexcept {
  for (;;) {
    if (at_line_start_) match_event_start(bytes);
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    at_line_start_ = true;
    line_matched_ = 0;
  }
}

void UsageScanner::match_event_start(std::string_view bytes) noexcept {
  for (const char c : bytes) {
    if (c != event_start_[line_matched_]) {
      at_line_start_ = false;
      return;
    }
    if (++line_matched_ == event_start_.size()) {
      ++events_;
      at_line_start_ = false;
      return;
    }
  }
}

std::optional<TokenUsage> UsageScanner::usage() const noexcept {
  TokenUsage usage;
  usage.input = counts_[UsageKind::input] + counts_[UsageKind::cache_written] +
                counts_[UsageKind::cache_read];
  usage.output = counts_[UsageKind::output] + counts_[UsageKind::thoughts];
  usage.total =
      counts_[UsageKind::total] > 0 ? counts_[UsageKind::total] : usage.input + usage.output;
  if (usage.total == 0) return std::nullopt;
  return usage;
}

}  // namespace aifd::protocol
