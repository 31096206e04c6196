// Reads the answers of one API into what is kept of them.
#pragma once

#include <memory>
#include <string_view>

#include "aifd/protocol/conversation.hpp"
#include "json_tape.hpp"
#include "kept_answer.hpp"

namespace aifd::protocol {

class AnswerReader {
 public:
  explicit AnswerReader(KeptAnswer& answer) noexcept : answer_(answer) {}
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;
  virtual ~AnswerReader() = default;

  // An event of a stream, or an answer that came whole; whatever is not what it should be is
  // passed over.
  virtual void take(const JsonTape::Value& value) = 0;

 protected:
  KeptAnswer& answer_;  // outlives the reader
};

// Of chat completions and completions; also Ollama's own answers.
std::unique_ptr<AnswerReader> chat_answer_reader(KeptAnswer& answer);
std::unique_ptr<AnswerReader> messages_answer_reader(KeptAnswer& answer);
std::unique_ptr<AnswerReader> responses_answer_reader(KeptAnswer& answer);
// Of audio transcriptions and translations.
std::unique_ptr<AnswerReader> transcript_reader(KeptAnswer& answer);
// Of embeddings, and of whatever may have a model and a usage report.
std::unique_ptr<AnswerReader> report_reader(KeptAnswer& answer);

std::unique_ptr<AnswerReader> answer_reader(ConversationApi api, KeptAnswer& answer);

// The texts of a content that is one string or a list of parts with texts. Calls take(escaped).
template <class Take>
void each_text(const JsonTape::Value& content, Take take) {
  if (content.is(JsonKind::string)) return take(content.string());
  if (!content.is(JsonKind::array)) return;
  for (const JsonTape::Value part : content) {
    const JsonTape::Value text = part.is(JsonKind::string) ? part : part.get("text");
    if (text.is(JsonKind::string)) take(text.string());
  }
}

}  // namespace aifd::protocol
