// One JSON line for each exchange, whatever became of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aifd/base/text_buffer.hpp"
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

// What is noted of an answer's head.
struct AnswerHead {
  std::string upstream_request_id;  // empty: none
  std::optional<bool> streams;      // nullopt: there was no head
};

// The line, with its line feed, in an empty `text`. `time` is "2026-11-22T21:05:19.123+08:00".
//
// "abort" names how an exchange ended whose client did not get a whole answer: who ended it and
// where it was, "client_stream" or "upstream_wait_head"; "error" says why.
std::string_view access_line(TextBuffer& text, std::string_view time, chain::Exchange& exchange,
                             const chain::Outcome& outcome, const AnswerHead& answer);

}  // namespace aifd::middleware
