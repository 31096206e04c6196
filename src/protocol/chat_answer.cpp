#include "aifd/protocol/dialect.hpp"
#include "answer_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

using Value = JsonTape::Value;

// A message that came whole is read as its only piece.
class ChatAnswerReader final : public AnswerReader {
 public:
  using AnswerReader::AnswerReader;

  void take(const Value& value) override {
    bool has_choices = false;
    for (const Value member : value) {
      const std::string_view key = member.key();
      if (key == "choices") {
        has_choices = true;
        take_choices(member);
      } else if (key == "model") {
        answer_.set(answer_.model, member.string());
      } else if (key == "usage") {
        take_usage(member);
      } else if (key == "error" && !member.is(JsonKind::null)) {
        answer_.set_error(member);
      }
    }
    if (!has_choices) take_ollama(value);
  }

 private:
  void take_usage(const Value& usage) {
    if (!usage.is(JsonKind::object)) return;
    answer_.set_usage(usage);
    answer_.usage_is_final = true;
  }

  void take_choices(const Value& choices) {
    std::size_t position = 0;
    for (const Value item : choices) {
      if (item.is(JsonKind::object)) take_choice(item, position);
      ++position;
    }
  }

  void take_choice(const Value& item, std::size_t position) {
    KeptChoice* const choice =
        answer_.choice(index_of(item.get("index").text()).value_or(position));
    if (choice == nullptr) return;
    for (const Value member : item) {
      const std::string_view key = member.key();
      if (key == "delta" || key == "message") {
        take_message(*choice, member);
      } else if (key == "text") {
        add_text(*choice, member);
      } else if (key == "finish_reason") {
        answer_.set(choice->finish_reason, member.string());
      } else if (key == "error" && member.is(JsonKind::object)) {  // OpenRouter
        answer_.set_error(member);
      }
    }
  }

  void take_message(KeptChoice& choice, const Value& message) {
    bool has_reasoning = false;
    for (const Value member : message) {
      const std::string_view key = member.key();
      if (key == "content") {
        add_text(choice, member);
      } else if (key == "reasoning_content" || key == "reasoning") {
        // Some servers send both, with the same text.
        if (has_reasoning || member.string().empty()) continue;
        has_reasoning = true;
        answer_.append(choice.reasoning, member.string());
      } else if (key == "refusal") {
        answer_.append(choice.refusal, member.string());
      } else if (key == "tool_calls") {
        for (const Value call : member) take_call(choice, call);
      } else if (key == "function_call" && member.is(JsonKind::object)) {
        take_function(answer_.call(choice, 0), member, "arguments");
      } else if (key == "audio") {
        add_text(choice, member.get("transcript"));
      }
    }
  }

  void add_text(KeptChoice& choice, const Value& content) {
    each_text(content, [&](std::string_view text) {
      choice.has_text = true;
      answer_.append(choice.text, text);
    });
    if (!content.is(JsonKind::array)) return;
    for (const Value part : content) {  // Mistral
      each_text(part.get("thinking"),
                [&](std::string_view text) { answer_.append(choice.reasoning, text); });
    }
  }

  // Where a server leaves out the index, a call with an id of its own is a new one.
  void take_call(KeptChoice& choice, const Value& value) {
    if (!value.is(JsonKind::object)) return;
    const std::string_view id = value.get("id").string();
    auto index = index_of(value.get("index").text());
    if (!index) {
      const auto& calls = choice.calls;
      index = calls.empty() ? 0 : calls.back().index;
      if (!calls.empty() && is_new_call(calls.back(), id, value)) ++*index;
    }
    KeptCall* const call = answer_.call(choice, *index);
    if (call == nullptr) return;
    answer_.set(call->id, id);
    take_function(call, value.get("function"), "arguments");
    const Value custom = value.get("custom");
    if (!custom.is(JsonKind::object)) return;
    call->is_custom = true;
    take_function(call, custom, "input");
  }

  // Ollama's have neither an id nor an index, and are whole.
  static bool is_new_call(const KeptCall& last, std::string_view id, const Value& value) {
    if (!id.empty()) return id != last.id;
    return value.get("function").get("arguments").is(JsonKind::object);
  }

  void take_function(KeptCall* call, const Value& function, std::string_view text_name) {
    if (call == nullptr) return;
    answer_.set(call->name, function.get("name").string());
    const Value text = function.get(text_name);
    if (text.is(JsonKind::object)) {
      std::string escaped;
      append_json_escaped(escaped, text.text());
      answer_.append(call->arguments, escaped);
    } else {
      answer_.append(call->arguments, text.string());
    }
  }

  // An answer, or a line of one, of Ollama's /api/chat or /api/generate.
  void take_ollama(const Value& value) {
    const Value message = value.get("message");
    const Value response = value.get("response");
    const bool is_answer = message.is(JsonKind::object) || response.is(JsonKind::string);
    KeptChoice* const choice = is_answer ? answer_.choice(0) : nullptr;
    if (choice == nullptr) return;
    take_message(*choice, message);
    add_text(*choice, response);
    for (const Value thinking : {value.get("thinking"), message.get("thinking")}) {
      answer_.append(choice->reasoning, thinking.string());
    }
    answer_.set(choice->finish_reason, value.get("done_reason").string());
    if (value.get("done").text() != "true") return;
    const std::uint64_t prompt = value.get("prompt_eval_count").count();
    const std::uint64_t completion = value.get("eval_count").count();
    if (prompt + completion == 0) return;
    answer_.usage = R"({"prompt_tokens":)" + std::to_string(prompt) + R"(,"completion_tokens":)" +
                    std::to_string(completion) + R"(,"total_tokens":)" +
                    std::to_string(prompt + completion) + "}";
    answer_.usage_is_final = true;
  }
};

}  // namespace

std::unique_ptr<AnswerReader> chat_answer_reader(KeptAnswer& answer) {
  return std::make_unique<ChatAnswerReader>(answer);
}

}  // namespace aifd::protocol
