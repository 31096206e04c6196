#include "answer_reader.hpp"

namespace aifd::protocol {
namespace {

using Value = JsonTape::Value;

// What answers of all kinds may say of themselves.
class ReportReader : public AnswerReader {
 public:
  using AnswerReader::AnswerReader;

  void take(const Value& value) override {
    answer_.set(answer_.object, value.get("object").string());
    for (const std::string_view name : {"model", "modelVersion"}) {
      answer_.set(answer_.model, value.get(name).string());
    }
    for (const std::string_view name : {"usage", "usageMetadata"}) {
      const Value usage = value.get(name);
      if (!usage.is(JsonKind::object)) continue;
      answer_.set_usage(usage);
      answer_.usage_is_final = true;
    }
    answer_.set_error(value.get("error"));
  }
};

class TranscriptReader final : public ReportReader {
 public:
  using ReportReader::ReportReader;

  void take(const Value& value) override {
    ReportReader::take(value);
    const std::string_view type = value.get("type").string();
    const Value text = value.get(type == "transcript.text.delta" ? "delta" : "text");
    const bool is_piece = type == "transcript.text.delta" || type == "transcript.text.segment";
    KeptChoice* const choice = text.is(JsonKind::string) ? answer_.choice(0) : nullptr;
    if (choice == nullptr || type == "transcript.text.segment") return;
    choice->has_text = true;
    if (is_piece || choice->text.empty()) answer_.append(choice->text, text.string());
  }
};

}  // namespace

std::unique_ptr<AnswerReader> transcript_reader(KeptAnswer& answer) {
  return std::make_unique<TranscriptReader>(answer);
}

std::unique_ptr<AnswerReader> report_reader(KeptAnswer& answer) {
  return std::make_unique<ReportReader>(answer);
}

std::unique_ptr<AnswerReader> answer_reader(ConversationApi api, KeptAnswer& answer) {
  switch (api) {
    case ConversationApi::chat:
    case ConversationApi::completion:
      return chat_answer_reader(answer);
    case ConversationApi::messages:
      return messages_answer_reader(answer);
    case ConversationApi::responses:
      return responses_answer_reader(answer);
    case ConversationApi::whisper:
      return transcript_reader(answer);
    case ConversationApi::embedding:
    case ConversationApi::general:
      break;
  }
  return report_reader(answer);
}

}  // namespace aifd::protocol
