#include "chunk_joiner.hpp"

#include <algorithm>

namespace aifd::protocol {
namespace {

constexpr std::string_view kChatChunk = R"("chat.completion.chunk")";
constexpr std::string_view kCompletion = R"("text_completion")";
constexpr std::size_t kMostParts = 4096;

// Calls add(item) for each member of the object that `value` is; false where it is none, or where
// add gives false.
template <class Add>
bool for_each_member(std::string_view value, Add add) {
  const auto object = JsonObject::read(value);
  return object && std::ranges::all_of(object->members(), add);
}

bool is_called_once(std::string_view key) {
  return key == "id" || key == "type" || key == "name";
}

// Pieces of a function, or of what is called in its place.
bool add_pieces(JoinedFields& fields, std::string_view value) {
  return for_each_member(value, [&](const JsonItem& item) {
    const bool is_text = item.key == "arguments" || item.key == "input";
    const JsonKind kind = kind_of(item.value);
    if (is_text && kind != JsonKind::string && kind != JsonKind::null) return false;
    return fields.add(item.key, item.value,
                      is_called_once(item.key) ? JoinRule::once : JoinRule::pieces);
  });
}

// A text that is there in every answer.
void complete(JoinedFields& fields, std::string_view key, std::string_view value) {
  const std::string_view found = fields.get(key);
  if (!found.empty() && found != "null") return;
  fields.remove(key);
  fields.add(key, value, JoinRule::last);
}

std::string object_text(const JoinedFields& fields) {
  std::string text = "{";
  fields.append_to(text);
  return text += '}';
}

void append_function(std::string& out, std::string_view key, std::string_view text_key,
                     JoinedFields& function) {
  if (function.empty()) return;
  complete(function, text_key, R"("")");
  append_member(out, key, object_text(function));
}

}  // namespace

bool ChunkJoiner::add(const JsonObject& chunk) {
  const std::string_view choices = chunk.get("choices");
  if (choices.empty() && chunk.get("object").empty()) return false;
  for (const JsonItem& item : chunk.members()) {
    bool fits = true;
    if (item.key == "object") {
      fits = take_object(item.value);
    } else if (item.key == "error") {
      fits = item.value == "null";
    } else if (item.key == "id" || item.key == "created" || item.key == "model") {
      fits = top_.add(item.key, item.value, JoinRule::first);
    } else if (item.key != "choices" && item.key != "obfuscation" &&
               !(item.key == "usage" && item.value == "null")) {
      fits = top_.add(item.key, item.value, JoinRule::last);
    }
    if (!fits) return false;
  }
  if (choices.empty() || choices == "null") return true;
  if (kind_of(choices) != JsonKind::array) return false;
  JsonItems items(choices);
  std::size_t position = 0;
  for (JsonItem item; items.next(item); ++position) {
    if (!add_choice(item.value, position)) return false;
  }
  return true;
}

// Azure's first chunk has an empty one.
bool ChunkJoiner::take_object(std::string_view object) {
  if (object == R"("")") return true;
  if (object_.empty() && (object == kChatChunk || object == kCompletion)) object_ = object;
  return object == object_;
}

bool ChunkJoiner::count_part() noexcept {
  return ++parts_ <= kMostParts;
}

bool ChunkJoiner::add_choice(std::string_view value, std::size_t position) {
  const auto fields = JsonObject::read(value);
  if (!fields) return false;
  const std::string_view said = fields->get("index");
  const auto index = said.empty() ? position : index_of(said);
  if (!index) return false;
  const auto [entry, is_new] = choices_.try_emplace(*index);
  if (is_new && !count_part()) return false;
  return std::ranges::all_of(fields->members(), [&, &choice = entry->second](const JsonItem& item) {
    return add_to_choice(choice, item);
  });
}

bool ChunkJoiner::add_to_choice(Choice& choice, const JsonItem& item) {
  const bool is_null = item.value == "null";
  if (item.key == "index") return true;
  if (item.key == "message") return false;
  if (item.key == "delta") {
    return is_null || for_each_member(item.value, [&](const JsonItem& member) {
             return add_to_message(choice, member);
           });
  }
  if (item.key == "text") {
    return (is_null || kind_of(item.value) == JsonKind::string) &&
           choice.fields.add(item.key, item.value, JoinRule::pieces);
  }
  if (item.key == "finish_reason" && item.value == R"("")") {
    return choice.fields.add(item.key, "null", JoinRule::last);
  }
  if (item.key == "logprobs" && !is_null) {
    return choice.fields.add(item.key, "null", JoinRule::last) &&
           for_each_member(item.value, [&](const JsonItem& member) {
             return choice.logprobs.add(member.key, member.value, JoinRule::lists);
           });
  }
  return choice.fields.add(item.key, item.value, JoinRule::lists);
}

bool ChunkJoiner::add_to_message(Choice& choice, const JsonItem& item) {
  const JsonKind kind = kind_of(item.value);
  if (item.key == "role") return choice.message.add(item.key, item.value, JoinRule::first);
  if (item.key == "audio" && kind != JsonKind::null) return false;
  if (item.key == "content" && kind != JsonKind::null && kind != JsonKind::string) return false;
  if (item.key == "function_call" && kind != JsonKind::null) {
    return add_pieces(choice.function_call, item.value);
  }
  if (item.key == "tool_calls" && kind != JsonKind::null && item.value != "[]") {
    return kind == JsonKind::array && add_tool_calls(choice, item.value);
  }
  return choice.message.add(item.key, item.value, JoinRule::pieces);
}

bool ChunkJoiner::add_tool_calls(Choice& choice, std::string_view calls) {
  JsonItems items(calls);
  for (JsonItem item; items.next(item);) {
    if (!add_tool_call(choice, item.value)) return false;
  }
  return true;
}

// Where a server leaves out the index, a call with an id is a new one.
bool ChunkJoiner::add_tool_call(Choice& choice, std::string_view value) {
  const auto fields = JsonObject::read(value);
  if (!fields) return false;
  auto& calls = choice.tool_calls;
  auto index = index_of(fields->get("index"));
  if (!index && !fields->get("index").empty()) return false;
  if (!index) {
    const std::size_t last = calls.empty() ? 0 : calls.rbegin()->first;
    const bool is_new = !inside(fields->get("id")).empty();
    index = is_new && !calls.empty() ? last + 1 : last;
  }
  const auto [entry, is_new] = calls.try_emplace(*index);
  if (is_new && !count_part()) return false;
  return std::ranges::all_of(fields->members(), [&call = entry->second](const JsonItem& item) {
    return add_to_call(call, item);
  });
}

bool ChunkJoiner::add_to_call(ToolCall& call, const JsonItem& item) {
  const bool is_object = kind_of(item.value) == JsonKind::object;
  if (item.key == "index") return true;
  if (item.key == "function" && is_object) return add_pieces(call.function, item.value);
  if (item.key == "custom" && is_object) return add_pieces(call.custom, item.value);
  return call.fields.add(item.key, item.value,
                         is_called_once(item.key) ? JoinRule::once : JoinRule::pieces);
}

bool ChunkJoiner::is_whole() const {
  if (object_.empty() || choices_.empty() || choices_.rbegin()->first != choices_.size() - 1) {
    return false;
  }
  return std::ranges::all_of(choices_, [](const auto& choice) {
    const std::string_view reason = choice.second.fields.get("finish_reason");
    return kind_of(reason) == JsonKind::string && inside(reason) != "error";
  });
}

std::optional<std::string> ChunkJoiner::answer() {
  if (!is_whole()) return std::nullopt;
  std::string answer = "{";
  append_member(answer, "object", object_ == kChatChunk ? R"("chat.completion")" : kCompletion);
  top_.append_to(answer);
  append_member(answer, "choices", "[");
  for (auto& [index, choice] : choices_) {
    if (index > 0) answer += ',';
    answer += choice_text(index, choice);
  }
  return answer += "]}";
}

std::string ChunkJoiner::choice_text(std::size_t index, Choice& choice) const {
  std::string text = "{";
  append_member(text, "index", std::to_string(index));
  if (object_ == kChatChunk) {
    append_member(text, "message", message_text(choice));
    choice.fields.remove("text");
  } else {
    complete(choice.fields, "text", R"("")");
  }
  if (!choice.logprobs.empty()) {
    choice.fields.remove("logprobs");
    append_member(text, "logprobs", object_text(choice.logprobs));
  }
  choice.fields.append_to(text);
  return text += '}';
}

std::string ChunkJoiner::message_text(Choice& choice) {
  complete(choice.message, "role", R"("assistant")");
  complete(choice.message, "content", "null");
  if (!choice.tool_calls.empty()) choice.message.remove("tool_calls");
  if (!choice.function_call.empty()) choice.message.remove("function_call");
  std::string text = "{";
  choice.message.append_to(text);
  append_function(text, "function_call", "arguments", choice.function_call);
  if (choice.tool_calls.empty()) return text += '}';
  std::string calls = "[";
  for (auto& [index, call] : choice.tool_calls) {
    if (calls.size() > 1) calls += ',';
    calls += '{';
    if (!call.function.empty()) complete(call.fields, "type", R"("function")");
    call.fields.append_to(calls);
    append_function(calls, "function", "arguments", call.function);
    append_function(calls, "custom", "input", call.custom);
    calls += '}';
  }
  append_member(text, "tool_calls", calls += ']');
  return text += '}';
}

}  // namespace aifd::protocol
