// Reads the answers of one API into what is kept of them.
#pragma once

#include <string_view>

#include "aifd/protocol/conversation.hpp"
#include "json_tape.hpp"
#include "kept_answer.hpp"

namespace aifd::protocol {

// An event of a stream, or an answer that came whole; whatever is not what it should be is passed
// over.
void take_answer(KeptAnswer& answer, ConversationApi api, const JsonTape::Value& value);

// Of chat completions and completions; also Ollama's own answers.
void take_chat_answer(KeptAnswer& answer, const JsonTape::Value& value);
void take_messages_answer(KeptAnswer& answer, const JsonTape::Value& value);
void take_responses_answer(KeptAnswer& answer, const JsonTape::Value& value);
// Of audio transcriptions and translations.
void take_transcript(KeptAnswer& answer, const JsonTape::Value& value);
// Of embeddings, and of whatever may have a model and a usage report.
void take_report(KeptAnswer& answer, const JsonTape::Value& value);

// The texts of a content that is one string or a list of parts with texts. Calls take(string).
template <class Take>
void each_text(const JsonTape::Value& content, Take take) {
  if (content.is(JsonKind::string)) return take(content);
  if (!content.is(JsonKind::array)) return;
  for (const JsonTape::Value part : content) {
    const JsonTape::Value text = part.is(JsonKind::string) ? part : part.get("text");
    if (text.is(JsonKind::string)) take(text);
  }
}

}  // namespace aifd::protocol
