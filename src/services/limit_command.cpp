#include "limit_command.hpp"

#include <algorithm>

#include "aifd/base/hex.hpp"

namespace aifd::services {
namespace {

using config::RateLimitStrategy;

char letter(RateLimitStrategy strategy) {
  constexpr std::string_view kLetters = "fmesg";
  return kLetters[static_cast<std::size_t>(strategy)];
}

// What a double holds exactly.
constexpr std::uint64_t kLargestCount = (std::uint64_t{1} << 53) - 1;

std::uint64_t microseconds(std::chrono::seconds window) {
  return static_cast<std::uint64_t>(std::chrono::microseconds(window).count());
}

}  // namespace

LimitCommand::LimitCommand(RateLimitStrategy strategy, const chain::CallerId& caller,
                           const LimitRule& rule, std::uint64_t now_us) {
  // In braces: what a Redis cluster chooses the node by, so that a caller's keys are on one.
  const std::string of_caller =
      "aifd:limit:{" + hex(caller) + "}:" + rule.route + ':' + letter(strategy) + ':';
  for (const config::RateLimit& limit : rule.limits) {
    if (std::ranges::find(limits_, limit) == limits_.end()) limits_.push_back(limit);
  }
  for (const config::RateLimit& limit : limits_) {
    parameters_.push_back(of_caller + std::to_string(limit.count) + '/' +
                          std::to_string(limit.window.count()));
  }
  key_count_ = std::to_string(limits_.size());
  parameters_.push_back(std::to_string(now_us));
  for (const config::RateLimit& limit : limits_) {
    parameters_.push_back(std::to_string(std::min(limit.count, kLargestCount)));
    parameters_.push_back(std::to_string(microseconds(limit.window)));
  }
}

std::vector<std::string_view> LimitCommand::arguments(std::string_view command,
                                                      std::string_view script) const {
  std::vector<std::string_view> all{command, script, key_count_};
  all.insert(all.end(), parameters_.begin(), parameters_.end());
  return all;
}

std::optional<LimitDecision> LimitCommand::read(const RedisReply& reply) const {
  if (reply.kind != RedisReply::Kind::array || reply.items.size() != 5) return std::nullopt;
  for (const RedisReply& item : reply.items) {
    if (item.kind != RedisReply::Kind::integer || item.integer < 0) return std::nullopt;
  }
  const auto index = static_cast<std::size_t>(reply.items[1].integer);
  if (index >= limits_.size()) return std::nullopt;
  LimitDecision decision;
  decision.admitted = reply.items[0].integer == 1;
  decision.limit = limits_[index].count;
  decision.remaining = static_cast<std::uint64_t>(reply.items[2].integer);
  decision.reset = std::chrono::microseconds(reply.items[3].integer);
  decision.retry_after = std::chrono::microseconds(reply.items[4].integer);
  return decision;
}

}  // namespace aifd::services
