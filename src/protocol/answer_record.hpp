// The records of answers.
#pragma once

#include <string_view>

#include "aifd/base/line_buffer.hpp"
#include "aifd/protocol/conversation.hpp"
#include "kept_answer.hpp"
#include "usage_estimate.hpp"

namespace aifd::protocol {

// What is known of an answer besides its texts and its note.
struct AnswerFacts {
  std::string_view content_type;
  std::uint64_t bytes = 0;    // of its body
  std::string_view response;  // the body of a general route; empty where it is not for records
  UsageSource source = UsageSource::unknown;
  TokenCounts estimate;
  bool truncated = false;
};

// The answer is in order.
void append_answer_record(LineBuffer& out, ConversationApi api, const AnswerNote& note,
                          const KeptAnswer& answer, const AnswerFacts& facts);

}  // namespace aifd::protocol
