#include "answer_reader.hpp"

namespace aifd::protocol {

using Value = JsonTape::Value;

void take_report(KeptAnswer& answer, const Value& value) {
  answer.set(answer.object, value.get("object").string());
  for (const std::string_view name : {"model", "modelVersion"}) {
    answer.set(answer.model, value.get(name).string());
  }
  for (const std::string_view name : {"usage", "usageMetadata"}) {
    const Value usage = value.get(name);
    if (!usage.is(JsonKind::object)) continue;
    answer.set_usage(usage);
    answer.usage_is_final = true;
  }
  answer.set_error(value.get("error"));
}

void take_transcript(KeptAnswer& answer, const Value& value) {
  take_report(answer, value);
  const std::string_view type = value.get("type").string();
  const Value text = value.get(type == "transcript.text.delta" ? "delta" : "text");
  const bool is_piece = type == "transcript.text.delta" || type == "transcript.text.segment";
  KeptChoice* const choice = text.is(JsonKind::string) ? answer.choice(0) : nullptr;
  if (choice == nullptr || type == "transcript.text.segment") return;
  choice->has_text = true;
  if (is_piece || choice->text.empty()) answer.append(choice->text, text);
}

void take_answer(KeptAnswer& answer, ConversationApi api, const Value& value) {
  switch (api) {
    case ConversationApi::chat:
    case ConversationApi::completion:
      return take_chat_answer(answer, value);
    case ConversationApi::messages:
      return take_messages_answer(answer, value);
    case ConversationApi::responses:
      return take_responses_answer(answer, value);
    case ConversationApi::whisper:
      return take_transcript(answer, value);
    case ConversationApi::embedding:
    case ConversationApi::general:
      break;
  }
  take_report(answer, value);
}

}  // namespace aifd::protocol
