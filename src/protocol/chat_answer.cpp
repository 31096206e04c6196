#include <algorithm>
#include <ranges>

#include "aifd/protocol/dialect.hpp"
#include "answer_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

using Value = JsonTape::Value;

// A message that came whole is read as its only piece.
class ChatAnswerReader {
 public:
  explicit ChatAnswerReader(KeptAnswer& answer) noexcept : answer_(answer) {}

  void take(const Value& value) {
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
      } else if (key == "error") {
        answer_.set_error(member);
      }
    }
    if (!has_choices) take_ollama(value);
  }

 private:
  enum class Calls { in_pieces, whole };

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
      if (key == "delta") {
        take_message(*choice, member, Calls::in_pieces);
      } else if (key == "message") {
        take_message(*choice, member, Calls::whole);
      } else if (key == "text") {
        add_text(*choice, member);
      } else if (key == "finish_reason") {
        answer_.set(choice->finish_reason, member.string());
      } else if (key == "error") {  // OpenRouter
        answer_.set_error(member);
      }
    }
  }

  void take_message(KeptChoice& choice, const Value& message, Calls calls) {
    bool has_reasoning = false;
    for (const Value member : message) {
      const std::string_view key = member.key();
      if (key == "content") {
        add_text(choice, member);
      } else if (key == "reasoning_content" || key == "reasoning") {
        // Some servers send both, with the same text.
        if (has_reasoning || member.string().empty()) continue;
        has_reasoning = true;
        answer_.append(choice.reasoning, member);
      } else if (key == "refusal") {
        answer_.append(choice.refusal, member);
      } else if (key == "tool_calls") {
        take_calls(choice, member, calls);
      } else if (key == "function_call" && member.is(JsonKind::object)) {
        take_function(answer_.call(choice, 0), member, "arguments");
      } else if (key == "audio") {
        add_text(choice, member.get("transcript"));
      }
    }
  }

  void add_text(KeptChoice& choice, const Value& content) {
    each_text(content, [&](const Value& text) {
      choice.has_text = true;
      answer_.append(choice.text, text);
    });
    if (!content.is(JsonKind::array)) return;
    for (const Value part : content) {  // Mistral
      each_text(part.get("thinking"),
                [&](const Value& text) { answer_.append(choice.reasoning, text); });
    }
  }

  void take_calls(KeptChoice& choice, const Value& list, Calls calls) {
    const bool go_by_place = calls == Calls::whole && choice.calls.empty();
    std::size_t position = 0;
    for (const Value value : list) {
      if (value.is(JsonKind::object)) {
        take_call(choice, go_by_place ? position : slot_of(choice, value), value);
      }
      ++position;
    }
  }

  void take_call(KeptChoice& choice, std::size_t slot, const Value& value) {
    KeptCall* const call = answer_.call(choice, slot);
    if (call == nullptr) return;
    call->sent_index = index_of(value.get("index").text()).value_or(slot);
    answer_.set(call->id, value.get("id").string());
    take_function(call, value.get("function"), "arguments");
    const Value custom = value.get("custom");
    if (!custom.is(JsonKind::object)) return;
    call->is_custom = true;
    take_function(call, custom, "input");
  }

  // The index of the call that this is, or is a piece of. Some servers send the same index with all
  // calls, or none: there an id tells which call is meant, and a new one begins a call.
  static std::size_t slot_of(const KeptChoice& choice, const Value& value) {
    const auto newest_first = choice.calls | std::views::reverse;
    const std::string_view id = value.get("id").string();
    if (!id.empty()) {
      const auto known = std::ranges::find(newest_first, id, &KeptCall::id);
      if (known != newest_first.end()) return known->index;
    }
    const auto sent = index_of(value.get("index").text());
    const auto before =
        sent ? std::ranges::find(newest_first, *sent, &KeptCall::sent_index) : newest_first.begin();
    if (before != newest_first.end() && !is_new_call(*before, id, value)) return before->index;
    const auto has_sent_index = [&](const KeptCall& call) { return call.index == sent; };
    if (sent && std::ranges::none_of(choice.calls, has_sent_index)) return *sent;
    std::size_t next = 0;
    for (const KeptCall& call : choice.calls) next = std::max(next, call.index + 1);
    return next;
  }

  // Ollama's have neither an id nor an index, and are whole.
  static bool is_new_call(const KeptCall& before, std::string_view id, const Value& value) {
    if (!id.empty()) return !before.id.empty();
    return value.get("function").get("arguments").is(JsonKind::object);
  }

  void take_function(KeptCall* call, const Value& function, std::string_view text_name) {
    if (call == nullptr) return;
    answer_.set(call->name, function.get("name").string());
    const Value text = function.get(text_name);
    if (text.is(JsonKind::object)) {
      std::string escaped;
      append_json_escaped(escaped, text.text());
      answer_.append_made(call->arguments, escaped);
    } else {
      answer_.append(call->arguments, text);
    }
  }

  // An answer, or a line of one, of Ollama's /api/chat or /api/generate.
  void take_ollama(const Value& value) {
    const Value message = value.get("message");
    const Value response = value.get("response");
    const bool is_answer = message.is(JsonKind::object) || response.is(JsonKind::string);
    KeptChoice* const choice = is_answer ? answer_.choice(0) : nullptr;
    if (choice == nullptr) return;
    take_message(*choice, message, Calls::in_pieces);
    add_text(*choice, response);
    for (const Value thinking : {value.get("thinking"), message.get("thinking")}) {
      answer_.append(choice->reasoning, thinking);
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

  KeptAnswer& answer_;
};

}  // namespace

void take_chat_answer(KeptAnswer& answer, const Value& value) {
  ChatAnswerReader(answer).take(value);
}

}  // namespace aifd::protocol
