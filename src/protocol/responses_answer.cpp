#include "answer_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

using Value = JsonTape::Value;

constexpr std::string_view kPrefix = "response.";

// A call's place is that of its item in the output.
class ResponsesAnswerReader {
 public:
  explicit ResponsesAnswerReader(KeptAnswer& answer) noexcept : answer_(answer) {}

  void take(const Value& value) {
    std::string_view type = value.get("type").string();
    const Value response = value.get("response");
    if (type.starts_with(kPrefix)) {
      type.remove_prefix(kPrefix.size());
      if (type.ends_with(".delta")) {
        take_delta(type, value);
      } else if (type == "function_call_arguments.done" || type == "custom_tool_call_input.done") {
        complete_call(value);
      } else if (type == "output_item.added" || type == "output_item.done") {
        take_call(item_index(value), value.get("item"));
      } else if (response.is(JsonKind::object)) {
        take_response(response);
      }
    } else if (type == "error") {
      answer_.set_error(value);
    } else {
      take_response(value);
    }
  }

 private:
  static std::size_t item_index(const Value& value) {
    return index_of(value.get("output_index").text()).value_or(0);
  }

  void take_delta(std::string_view type, const Value& value) {
    KeptChoice* const choice = answer_.choice(0);
    if (choice == nullptr) return;
    const Value delta = value.get("delta");
    if (type == "output_text.delta") {
      add_text(*choice, delta);
    } else if (type == "refusal.delta") {
      answer_.append(choice->refusal, delta);
    } else if (type == "reasoning_summary_text.delta" || type == "reasoning_text.delta") {
      answer_.append(choice->reasoning, delta);
    } else if (type == "function_call_arguments.delta" || type == "custom_tool_call_input.delta") {
      KeptCall* const call = answer_.call(*choice, item_index(value));
      if (call != nullptr) answer_.append(call->arguments, delta);
    }
  }

  void complete_call(const Value& value) {
    KeptChoice* const choice = answer_.choice(0);
    KeptCall* const call = choice == nullptr ? nullptr : answer_.call(*choice, item_index(value));
    if (call != nullptr) complete_arguments(*call, value);
  }

  // What came in pieces comes whole at their end.
  void complete_arguments(KeptCall& call, const Value& value) {
    if (!call.arguments.empty()) return;
    const Value arguments = value.get(call.is_custom ? "input" : "arguments");
    answer_.append(call.arguments, arguments);
  }

  void take_call(std::size_t index, const Value& item) {
    const std::string_view type = item.get("type").string();
    const bool is_custom = type == "custom_tool_call";
    if (type != "function_call" && !is_custom) return;
    KeptChoice* const choice = answer_.choice(0);
    KeptCall* const call = choice == nullptr ? nullptr : answer_.call(*choice, index);
    if (call == nullptr) return;
    call->is_custom = is_custom;
    answer_.set(call->id, item.get("call_id").string());
    answer_.set(call->name, item.get("name").string());
    complete_arguments(*call, item);
  }

  // The events that begin a response and end it repeat it, as far as it goes.
  void take_response(const Value& response) {
    answer_.set(answer_.model, response.get("model").string());
    if (const Value usage = response.get("usage"); usage.is(JsonKind::object)) {
      answer_.set_usage(usage);
      answer_.usage_is_final = true;
    }
    answer_.set_error(response.get("error"));
    const std::string_view status = response.get("status").string();
    KeptChoice* const choice = status.empty() ? nullptr : answer_.choice(0);
    if (choice == nullptr) return;
    const Value reason = response.get("incomplete_details").get("reason");
    answer_.set(choice->finish_reason, reason.string().empty() ? status : reason.string());
    const bool is_new = answer_.content_bytes() == 0 && choice->calls.empty();
    if (is_new) take_output(*choice, response.get("output"));
  }

  void take_output(KeptChoice& choice, const Value& output) {
    std::size_t index = 0;
    for (const Value item : output) {
      const std::string_view type = item.get("type").string();
      if (type == "message") {
        take_content(choice, item.get("content"));
      } else if (type == "reasoning") {
        for (const Value texts : {item.get("summary"), item.get("content")}) {
          each_text(texts, [&](const Value& text) { answer_.append(choice.reasoning, text); });
        }
      } else {
        take_call(index, item);
      }
      ++index;
    }
  }

  void take_content(KeptChoice& choice, const Value& content) {
    if (content.is(JsonKind::string)) return add_text(choice, content);
    for (const Value part : content) {
      add_text(choice, part.get("text"));
      answer_.append(choice.refusal, part.get("refusal"));
    }
  }

  void add_text(KeptChoice& choice, const Value& text) {
    if (!text.is(JsonKind::string)) return;
    choice.has_text = true;
    answer_.append(choice.text, text);
  }

  KeptAnswer& answer_;
};

}  // namespace

void take_responses_answer(KeptAnswer& answer, const Value& value) {
  ResponsesAnswerReader(answer).take(value);
}

}  // namespace aifd::protocol
