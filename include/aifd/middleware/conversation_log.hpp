// Writes down what was asked and answered (LOG_OPENAI, LOG_GENERAL, PRINT_CHAT).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/protocol/conversation.hpp"
#include "aifd/services/conversation_log.hpp"

namespace aifd::middleware {

// Holds the request's body, as far as MAX_BUFFERED_BODY_BYTES goes (but for uploads on general
// routes), and hands a copy of it and of the answer to the log, which reads them on its own thread.
// Logged are the POSTs to the known paths of openai routes, and every request of general routes but
// those that ask for an upgrade. Their answers are asked for unencoded.
//
// Behind all that may refuse, so that only what was let through is logged; before the cache, whose
// answers are logged like any other.
class ConversationLog final : public chain::Middleware {
 public:
  // The log outlives the chain and its exchanges.
  ConversationLog(const config::Settings& settings, services::ConversationLog& log);
  std::string_view name() const noexcept override { return "conversation_log"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;
  std::optional<Result<chain::Verdict>> try_request(chain::Exchange& exchange) const override;

 private:
  std::optional<protocol::ConversationApi> api_of(const chain::Exchange& exchange) const;
  std::optional<protocol::ConversationApi> openai_api_of(std::string_view path) const;
  void take_body(chain::Exchange& exchange, services::ConversationStart& start) const;
  void begin(chain::Exchange& exchange, protocol::ConversationApi api, bool is_whole) const;

  const config::Logs settings_;
  const std::string chat_;
  const std::string completion_;
  const std::string embedding_;
  const std::uint64_t max_buffered_bytes_;
  const bool streams_by_default_;  // DEFAULT_STREAM_RESPONSE
  services::ConversationLog& log_;
};

}  // namespace aifd::middleware
