#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "aifd/protocol/chat_record.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

// With which a model says that it did not say all.
constexpr std::array<std::string_view, 13> kUnfinished{
    "length",         "max_tokens", "max_output_tokens", "model_context_window_exceeded",
    "content_filter", "refusal",    "pause_turn",        "incomplete",
    "in_progress",    "failed",     "cancelled",         "error",
    "abort"};

constexpr std::array<std::string_view, 6> kRoles{"\"system\"",    "\"developer\"", "\"user\"",
                                                 "\"assistant\"", "\"tool\"",      "\"function\""};

bool is_there(std::string_view value) {
  return !value.empty() && value != "null";
}

std::optional<Unfit> why_unfit(const JsonObject& answer) {
  const std::string_view status = answer.get("status");
  if (is_there(status) && (status.size() != 3 || status.front() != '2')) return Unfit::failed;
  if (is_there(answer.get("error_text"))) return Unfit::failed;
  const bool is_drained = answer.get("drained") == "\"whole\"";
  const std::string_view end = answer.get("ended_by");
  const bool is_cut = is_there(end) && end != "\"complete\"" && !is_drained;
  if (is_cut || answer.get("truncated") == "true") return Unfit::cut;
  const std::string_view reason = inside(answer.get("finish_reason"));
  if (std::ranges::find(kUnfinished, reason) != kUnfinished.end()) return Unfit::stopped;
  const std::string_view said = answer.get("assistant");
  if (!is_there(said) || said == "\"\"" || said == "[]") return Unfit::empty;
  return std::nullopt;
}

bool is_text_part(const JsonObject& part) {
  const std::string_view type = part.get("type");
  return kind_of(part.get("text")) == JsonKind::string &&
         (type == "\"text\"" || type == "\"input_text\"" || type == "\"output_text\"");
}

// A message's content as one string; nullopt where there is more than text in it.
std::optional<std::string> text_of(std::string_view content) {
  if (kind_of(content) == JsonKind::string) return std::string(content);
  if (kind_of(content) != JsonKind::array) return std::nullopt;
  std::string text = "\"";
  JsonItems parts(content);
  for (JsonItem item; parts.next(item);) {
    const std::optional<JsonObject> part = JsonObject::read(item.value);
    if (!part || !is_text_part(*part)) return std::nullopt;
    text += inside(part->get("text"));
  }
  return text + '"';
}

bool is_said_text(std::string_view value) {
  return kind_of(value) == JsonKind::string && value != "\"\"";
}

bool is_call(const JsonObject& call) {
  const std::optional<JsonObject> function = JsonObject::read(call.get("function"));
  return function && call.get("type") == "\"function\"" && is_said_text(call.get("id")) &&
         is_said_text(function->get("name")) &&
         kind_of(function->get("arguments")) == JsonKind::string;
}

// A list of objects for each of which check() is true.
template <class Check>
bool is_list_of(std::string_view list, Check check) {
  if (kind_of(list) != JsonKind::array || list == "[]") return false;
  JsonItems items(list);
  for (JsonItem item; items.next(item);) {
    const std::optional<JsonObject> object = JsonObject::read(item.value);
    if (!object || !check(*object)) return false;
  }
  return true;
}

bool has_type(const JsonObject& object) {
  return is_said_text(object.get("type"));
}

bool has_calls(const JsonObject& message) {
  return is_list_of(message.get("tool_calls"), is_call) ||
         kind_of(message.get("function_call")) == JsonKind::object;
}

// Upstreams answer requests too that the chat API would refuse.
bool is_chat_message(const JsonObject& message) {
  const std::string_view role = message.get("role");
  const std::string_view content = message.get("content");
  if (is_there(message.get("tool_calls")) && !has_calls(message)) return false;
  if (role == "\"tool\"" && !is_said_text(message.get("tool_call_id"))) return false;
  if (!is_there(content)) return role == "\"assistant\"" && has_calls(message);
  return kind_of(content) == JsonKind::string || is_list_of(content, has_type);
}

// Appends the messages, each with a comma behind it. False where they are none of a chat's, or none
// is the user's.
bool append_messages(std::string& out, std::string_view messages, bool is_chat) {
  if (kind_of(messages) != JsonKind::array) return false;
  bool has_user = false;
  JsonItems items(messages);
  for (JsonItem item; items.next(item);) {
    const std::optional<JsonObject> message = JsonObject::read(item.value);
    if (!message) return false;
    const std::string_view role = message->get("role");
    if (std::ranges::find(kRoles, role) == kRoles.end()) return false;
    if (role == "\"user\"") has_user = true;
    if (is_chat) {
      if (!is_chat_message(*message)) return false;
      out += item.value;
    } else {
      const std::optional<std::string> text = text_of(message->get("content"));
      if (!text) return false;
      std::string plain = "{";
      append_member(plain, "role", message->get("role"));
      append_member(plain, "content", *text);
      out += plain + '}';
    }
    out += ',';
  }
  return has_user;
}

// Without the index, which only streams have.
std::optional<std::string> tool_calls_of(std::string_view calls) {
  std::string list = "[";
  JsonItems items(calls);
  for (JsonItem item; items.next(item);) {
    const std::optional<JsonObject> call = JsonObject::read(item.value);
    if (!call || !is_call(*call)) return std::nullopt;
    if (list.size() > 1) list += ',';
    list += '{';
    for (const JsonItem& member : call->members()) {
      if (member.key != "index") append_member(list, member.key, member.value);
    }
    list += '}';
  }
  return list + ']';
}

bool append_assistant(std::string& out, const JsonObject& answer) {
  std::string message = R"({"role":"assistant")";
  const std::string_view said = answer.get("assistant");
  if (kind_of(said) == JsonKind::array) {
    const std::optional<std::string> calls = tool_calls_of(said);
    if (!calls) return false;
    const std::string_view text = answer.get("content");
    if (kind_of(text) == JsonKind::string) append_member(message, "content", text);
    append_member(message, "tool_calls", *calls);
  } else if (kind_of(said) == JsonKind::string) {
    append_member(message, "content", said);
  } else {
    return false;
  }
  out += message + '}';
  return true;
}

}  // namespace

std::string_view to_string(Unfit why) noexcept {
  switch (why) {
    case Unfit::failed:
      return "failed";
    case Unfit::cut:
      return "cut off";
    case Unfit::stopped:
      return "stopped by a limit or filter";
    case Unfit::empty:
      return "without an answer";
    case Unfit::no_chat:
      return "with what is not of the chat API";
  }
  return "";
}

std::variant<std::string, Unfit> training_example(const ChatRecord& request,
                                                  const ChatRecord& answer) {
  const std::optional<JsonObject> asked = JsonObject::read(request.json);
  const std::optional<JsonObject> said = JsonObject::read(answer.json);
  if (const std::optional<Unfit> why = why_unfit(*said)) return *why;
  const std::string_view api = asked->get("api");
  const bool is_chat = !is_there(api) || api == "\"chat\"";
  const std::string_view tools = asked->get("tools");
  const bool has_tools = is_there(tools) && tools != "[]";
  std::string out = R"({"messages":[)";
  const bool can_have_tools = is_chat && is_list_of(tools, has_type);
  if ((has_tools && !can_have_tools) || !append_messages(out, asked->get("messages"), is_chat) ||
      !append_assistant(out, *said)) {
    return Unfit::no_chat;
  }
  out += ']';
  if (has_tools) append_member(out, "tools", tools);
  return out + '}';
}

}  // namespace aifd::protocol
