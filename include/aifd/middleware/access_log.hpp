// One JSON line for each exchange, whatever became of it.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/services/line_writer.hpp"

namespace aifd::middleware {

// Adds a tap that notes the outcome. Keys, query secrets and cookies are never in a line.
class AccessLog final : public chain::PromptMiddleware {
 public:
  // The writer outlives the chain.
  explicit AccessLog(services::LineWriter& writer) : writer_(writer) {}
  std::string_view name() const noexcept override { return "access_log"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  services::LineWriter& writer_;
};

// The line, with its line feed. `time` is "2026-11-22T21:05:19.123+08:00".
std::string access_line(std::string_view time, const chain::Exchange& exchange,
                        const chain::Outcome& outcome, std::string_view upstream_request_id);

}  // namespace aifd::middleware
