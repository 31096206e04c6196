// Chat completions and completions put together from their chunks.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "joined_fields.hpp"

namespace aifd::protocol {

// See answer_from_stream. What add() refuses is no such stream: nothing is worth asking then.
class ChunkJoiner {
 public:
  bool add(const JsonObject& chunk);

  bool empty() const noexcept { return top_.empty() && choices_.empty(); }

  // nullopt where a choice is missing or unfinished.
  std::optional<std::string> answer();

 private:
  struct ToolCall {
    JoinedFields fields;
    JoinedFields function;
    JoinedFields custom;
  };

  struct Choice {
    JoinedFields fields;
    JoinedFields message;
    JoinedFields logprobs;
    JoinedFields function_call;
    std::map<std::size_t, ToolCall> tool_calls;
  };

  bool take_object(std::string_view object);
  bool add_choice(std::string_view value, std::size_t position);
  bool add_to_choice(Choice& choice, const JsonItem& item);
  bool add_to_message(Choice& choice, const JsonItem& item);
  bool add_tool_calls(Choice& choice, std::string_view calls);
  bool add_tool_call(Choice& choice, std::string_view value);
  static bool add_to_call(ToolCall& call, const JsonItem& item);
  bool count_part() noexcept;

  bool is_whole() const;
  std::string choice_text(std::size_t index, Choice& choice) const;
  static std::string message_text(Choice& choice);

  std::string object_;  // of the chunks; empty until one says it
  JoinedFields top_;
  std::map<std::size_t, Choice> choices_;
  std::size_t parts_ = 0;  // choices and tool calls
};

}  // namespace aifd::protocol
