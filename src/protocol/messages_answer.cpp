#include <algorithm>

#include "aifd/protocol/dialect.hpp"
#include "answer_reader.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

using Value = JsonTape::Value;

// An answer that came whole is a list of blocks, each begun whole.
class MessagesAnswerReader {
 public:
  explicit MessagesAnswerReader(KeptAnswer& answer) noexcept : answer_(answer) {}

  void take(const Value& value) {
    const std::string_view type = value.get("type").string();
    if (type == "content_block_delta") {
      take_delta(block_index(value), value.get("delta"));
    } else if (type == "content_block_start") {
      take_block(block_index(value), value.get("content_block"), Block::begun);
    } else if (type == "content_block_stop") {
      end_block(block_index(value));
    } else if (type == "message_start") {
      take_message(value.get("message"));
    } else if (type == "message_delta") {
      take_end(value.get("delta"), value.get("usage"));
    } else if (type == "message") {
      take_message(value);
      take_end(value, {});
      answer_.usage_is_final = !answer_.usage.empty();
    } else {
      answer_.set_error(value.get("error"));
    }
  }

 private:
  enum class Block { begun, whole };

  static std::size_t block_index(const Value& value) {
    return index_of(value.get("index").text()).value_or(0);
  }

  void take_message(const Value& message) {
    answer_.set(answer_.model, message.get("model").string());
    answer_.set_usage(message.get("usage"));
    if (answer_.choice(0) == nullptr) return;
    const Value content = message.get("content");
    if (content.is(JsonKind::string)) return add_text(content);
    std::size_t index = 0;
    for (const Value block : content) take_block(index++, block, Block::whole);
  }

  void take_end(const Value& delta, const Value& usage) {
    KeptChoice* const choice = answer_.choice(0);
    if (choice == nullptr) return;
    answer_.set(choice->finish_reason, delta.get("stop_reason").string());
    if (!usage.is(JsonKind::object)) return;
    answer_.update_usage(usage);
    answer_.usage_is_final = true;
  }

  void take_block(std::size_t index, const Value& block, Block state) {
    KeptChoice* const choice = answer_.choice(0);
    if (choice == nullptr) return;
    const std::string_view type = block.get("type").string();
    if (type == "text") {
      add_text(block.get("text"));
    } else if (type == "thinking") {
      answer_.append(choice->reasoning, block.get("thinking"));
    } else if (type == "tool_use") {
      begin_call(*choice, index, block, state);
    }
  }

  // The arguments of a call that has only begun are there as an empty object, and come in pieces.
  void begin_call(KeptChoice& choice, std::size_t index, const Value& block, Block state) {
    KeptCall* const call = answer_.call(choice, index);
    if (call == nullptr) return;
    answer_.set(call->id, block.get("id").string());
    answer_.set(call->name, block.get("name").string());
    const Value input = block.get("input");
    const bool is_there = state == Block::whole || input.begin() != input.end();
    if (!input.is(JsonKind::object) || !is_there) return;
    std::string escaped;
    append_json_escaped(escaped, input.text());
    answer_.append_made(call->arguments, escaped);
  }

  void take_delta(std::size_t index, const Value& delta) {
    KeptChoice* const choice = answer_.choice(0);
    if (choice == nullptr) return;
    const std::string_view type = delta.get("type").string();
    if (type == "text_delta") {
      add_text(delta.get("text"));
    } else if (type == "thinking_delta") {
      answer_.append(choice->reasoning, delta.get("thinking"));
    } else if (type == "input_json_delta") {
      KeptCall* const call = begun_call(*choice, index);
      if (call != nullptr) answer_.append(call->arguments, delta.get("partial_json"));
    }
  }

  // No pieces came where there are no arguments.
  void end_block(std::size_t index) {
    KeptChoice* const choice = answer_.choice(0);
    KeptCall* const call = choice == nullptr ? nullptr : begun_call(*choice, index);
    if (call != nullptr && call->arguments.empty()) answer_.append_made(call->arguments, "{}");
  }

  // Others are of tools that the server runs.
  static KeptCall* begun_call(KeptChoice& choice, std::size_t index) {
    const auto call = std::ranges::find(choice.calls, index, &KeptCall::index);
    return call == choice.calls.end() ? nullptr : &*call;
  }

  void add_text(const Value& text) {
    KeptChoice* const choice = answer_.choice(0);
    if (choice == nullptr || !text.is(JsonKind::string)) return;
    choice->has_text = true;
    answer_.append(choice->text, text);
  }

  KeptAnswer& answer_;
};

}  // namespace

void take_messages_answer(KeptAnswer& answer, const Value& value) {
  MessagesAnswerReader(answer).take(value);
}

}  // namespace aifd::protocol
