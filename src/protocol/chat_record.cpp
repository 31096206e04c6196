#include "aifd/protocol/chat_record.hpp"

#include <utility>

#include "aifd/base/hex.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/python_literal.hpp"
#include "json_text.hpp"
#include "utf8.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostUidBytes = 256;
constexpr std::size_t kUnitLength = 6;  // of \uXXXX

unsigned read_unit(std::string_view escape) {
  unsigned unit = 0;
  for (const char c : escape.substr(2, 4)) unit = unit * 16 + static_cast<unsigned>(hex_value(c));
  return unit;
}

// The escape \uXXXX, or two of them, that `text` begins with; gives their length.
std::size_t append_unit(std::string& out, std::string_view text) {
  unsigned code_point = read_unit(text);
  std::size_t length = kUnitLength;
  const std::string_view rest = text.substr(kUnitLength);
  if (is_high_surrogate(code_point) && rest.starts_with("\\u")) {
    const unsigned low = read_unit(rest);
    if (is_low_surrogate(low)) {
      code_point = join_surrogates(code_point, low);
      length += kUnitLength;
    }
  }
  std::string character;
  append_utf8(character, code_point);
  append_json_escaped(out, character);
  return length;
}

// Valid JSON with fewer escapes: a backslash stands nowhere but in strings.
std::string without_needless_escapes(std::string json) {
  if (json.find("\\u") == json.npos && json.find("\\/") == json.npos) return json;
  std::string plain;
  plain.reserve(json.size());
  std::string_view rest = json;
  for (std::size_t at = rest.find('\\'); at != rest.npos; at = rest.find('\\')) {
    plain += rest.substr(0, at);
    rest.remove_prefix(at);
    std::size_t length = 2;
    if (rest[1] == 'u') {
      length = append_unit(plain, rest);
    } else {
      plain += rest[1] == '/' ? "/" : rest.substr(0, 2);
    }
    rest.remove_prefix(length);
  }
  plain += rest;
  return plain;
}

// The line as JSON without white space between its tokens, or what is wrong with it.
struct AsJson {
  std::string json;
  std::string wrong;
};

AsJson as_json(std::string_view line) {
  const bool is_json = line.starts_with("{\"");
  if (!is_json && !line.starts_with("{'")) return {{}, "this is no record"};
  if (is_json) {
    std::optional<std::string> json = compact_json(line);
    if (json) return {without_needless_escapes(std::move(*json)), {}};
  }
  // A dict whose first key has an apostrophe begins as JSON does.
  auto read = json_of_python_literal(line);
  if (auto* json = std::get_if<std::string>(&read)) return {std::move(*json), {}};
  if (is_json) return {{}, "this is not valid JSON"};
  const LiteralError& error = std::get<LiteralError>(read);
  return {{}, "at byte " + std::to_string(error.offset + 1) + ": " + std::string(error.what)};
}

std::string_view or_else(std::string_view value, std::string_view otherwise) {
  return value.empty() ? otherwise : value;
}

bool says_something(std::string_view value) {
  return !value.empty() && value != "null" && value != "\"\"";
}

// One of the request's messages as {role: content}.
void append_message(std::string& out, std::string_view message) {
  const std::optional<JsonObject> object = JsonObject::read(message);
  if (!object) {
    out += message;
    return;
  }
  const std::string_view role = object->get("role");
  const bool has_role = kind_of(role) == JsonKind::string;
  const std::string_view name = has_role ? role : object->get("type");
  if (kind_of(name) != JsonKind::string) {
    out += message;
    return;
  }
  out += '{';
  out += name;
  out += ':';
  out += has_role ? or_else(object->get("content"), "null") : message;
  out += '}';
}

std::string messages_of(std::string_view messages) {
  if (kind_of(messages) != JsonKind::array) return std::string(messages);
  std::string list = "[";
  JsonItems items(messages);
  for (JsonItem item; items.next(item);) {
    if (list.size() > 1) list += ',';
    append_message(list, item.value);
  }
  return list + ']';
}

}  // namespace

std::variant<ChatRecord, std::string> read_chat_record(std::string_view line) {
  AsJson read = as_json(line);
  if (!read.wrong.empty()) return std::move(read.wrong);
  ChatRecord record;
  record.json = std::move(read.json);
  const std::optional<JsonObject> object = JsonObject::read(record.json);
  if (!object) return "this is no record: a name is there twice, or it has too many of them";
  const bool is_request = !object->get("messages").empty();
  if (!is_request && object->get("assistant").empty()) return "this is no record of a chat";
  const std::string_view uid = object->get("uid");
  if (kind_of(uid) != JsonKind::string || uid.size() > kMostUidBytes) return "there is no uid";
  record.kind = is_request ? ChatRecord::Kind::request : ChatRecord::Kind::answer;
  record.uid = inside(uid);
  record.datetime = inside(object->get("datetime"));
  return record;
}

std::string conversation(const ChatRecord& request, const ChatRecord& answer) {
  const std::optional<JsonObject> asked = JsonObject::read(request.json);
  const std::optional<JsonObject> said = JsonObject::read(answer.json);
  std::string out = "{";
  out.reserve(request.json.size() + answer.json.size());
  const auto add = [&out](std::string_view key, std::string_view value, std::string_view missing) {
    append_member(out, key, or_else(value, missing));
  };
  const std::string_view ip = asked->get("ip");
  add("datetime", asked->get("datetime"), "null");
  add("ip", says_something(ip) ? ip : asked->get("forwarded-for"), "null");
  add("model", asked->get("model"), "null");
  add("temperature", asked->get("temperature"), "1");
  add("messages", messages_of(asked->get("messages")), "null");
  add("tools", asked->get("tools"), "null");
  add("is_tool_calls", said->get("is_tool_calls"), "null");
  add("assistant", said->get("assistant"), "null");
  return out + '}';
}

}  // namespace aifd::protocol
