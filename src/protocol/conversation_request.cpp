#include <algorithm>
#include <array>
#include <span>

#include "aifd/protocol/conversation.hpp"
#include "aifd/protocol/dialect.hpp"
#include "body_kind.hpp"
#include "canonical_scalars.hpp"
#include "json_depth.hpp"
#include "json_reader.hpp"
#include "json_text.hpp"
#include "record_json.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;
using Kind = JsonReader::Kind;

// Why a body is not in its record.
constexpr std::string_view kTooLarge = "too_large";
constexpr std::string_view kCoded = "coded";
constexpr std::string_view kNotJson = "not_json";
constexpr std::string_view kNotUtf8 = "not_utf8";
constexpr std::string_view kTooDeep = "too_deep";  // of some of its members

// A value of the body may come to stand in a message of the record's list of them.
constexpr std::size_t kMostValueDepth = kMostRecordDepth - 3;

constexpr std::string_view kWanted[] = {"messages",
                                        "input",
                                        "instructions",
                                        "system",
                                        "model",
                                        "stream",
                                        "max_tokens",
                                        "max_output_tokens",
                                        "max_completion_tokens",
                                        "response_format",
                                        "n",
                                        "temperature",
                                        "top_p",
                                        "logit_bias",
                                        "frequency_penalty",
                                        "presence_penalty",
                                        "seed",
                                        "stop",
                                        "stop_sequences",
                                        "user",
                                        "tools",
                                        "tool_choice",
                                        "caching",
                                        "prompt",
                                        "encoding_format",
                                        "file",
                                        "language"};

constexpr std::size_t place_of(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kWanted, name) - std::begin(kWanted));
}

// One of kWanted, looked up at compile time.
struct Wanted {
  consteval Wanted(const char* name) : place(place_of(name)) {
    if (place == std::size(kWanted)) throw "not in kWanted";
  }
  std::size_t place;
};

struct Member {
  consteval Member(const char* record_name, const char* if_absent, const char* body_name = nullptr)
      : name(record_name), otherwise(if_absent), wanted(body_name ? body_name : record_name) {}

  std::string_view name;       // in the record
  std::string_view otherwise;  // what an absent one counts as, as JSON; empty: it is left out
  Wanted wanted;               // in the body
};

constexpr std::array<Member, 2> kChatBegin{{{"model", "null"}, {"stream", "false"}}};
constexpr std::array<Member, 2> kChatTokens{
    {{"max_tokens", "null"}, {"max_completion_tokens", ""}}};
constexpr std::array<Member, 2> kResponsesTokens{
    {{"max_tokens", "null", "max_output_tokens"}, {"max_completion_tokens", ""}}};
constexpr std::array<Member, 8> kChatSampling{{{"response_format", "null"},
                                               {"n", "1"},
                                               {"temperature", "1"},
                                               {"top_p", "1"},
                                               {"logit_bias", "null"},
                                               {"frequency_penalty", "0"},
                                               {"presence_penalty", "0"},
                                               {"seed", "null"}}};
constexpr std::array<Member, 1> kChatStop{{{"stop", "null"}}};
constexpr std::array<Member, 1> kMessagesStop{{{"stop", "null", "stop_sequences"}}};
constexpr std::array<Member, 3> kChatEnd{
    {{"user", "null"}, {"tools", "null"}, {"tool_choice", "null"}}};
constexpr std::array<Member, 4> kCompletion{
    {{"prompt", "null"}, {"model", "null"}, {"stream", "false"}, {"temperature", "1"}}};
constexpr std::array<Member, 3> kEmbedding{
    {{"input", "null"}, {"model", "null"}, {"encoding_format", R"("float")"}}};
constexpr std::array<Member, 6> kWhisper{{{"file", "null"},
                                          {"model", "null"},
                                          {"language", "null"},
                                          {"prompt", "null"},
                                          {"response_format", "null"},
                                          {"temperature", "null"}}};

// What of a body's top level may be recorded. Views into the body.
class Body {
 public:
  // False where it is no JSON object.
  bool read(std::string_view text) {
    JsonReader reader(text, JsonReader::Surrogates::also_alone);
    JsonReader::Token token = reader.next();
    if (token.kind != Kind::begin_object) return false;
    for (token = reader.next(); token.kind == Kind::name; token = reader.next()) {
      const std::size_t place =
          token.has_escapes ? place_of(word_of(token)) : place_of(inside(token.text));
      const std::string_view value = reader.finish_value(reader.next());
      if (value.empty()) return false;
      if (place < std::size(kWanted)) values_[place] = value;
    }
    return token.kind == Kind::end_object && reader.next().kind == Kind::end;
  }

  // For the record: empty where there is no such member, null where it is nested too deep for one.
  std::string_view get(Wanted wanted) {
    const std::string_view value = values_[wanted.place];
    if (!is_deeper_than(kMostValueDepth, value)) return value;
    lacks_some_ = true;
    return "null";
  }

  // Whether something that was asked for was nested too deep.
  bool lacks_some() const noexcept { return lacks_some_; }

 private:
  bool lacks_some_ = false;
  std::array<std::string_view, std::size(kWanted)> values_{};  // the last of each name
};

// The items of a list that is put together for the record.
class ItemWriter {
 public:
  explicit ItemWriter(std::string& out) : out_(out), begin_(out.size()) { out_ += '['; }

  void item(std::string_view json) {
    separate();
    if (!append_record_json(out_, json)) out_ += "null";
  }

  void message(std::string_view role, std::string_view content) {
    separate();
    out_.append(R"({"role":")").append(role).append(R"(","content":)");
    if (!append_record_json(out_, content)) out_ += "null";
    out_ += '}';
  }

  void items(std::string_view list) {
    const std::size_t before = out_.size();
    separate();
    const std::size_t begin = out_.size();
    if (!append_record_json(out_, list) || out_.size() - begin <= 2) {
      out_.resize(before);
      return;
    }
    out_.pop_back();
    out_.erase(begin, 1);
  }

  void finish() { out_ += ']'; }

 private:
  void separate() {
    if (out_.size() > begin_ + 1) out_ += ',';
  }

  std::string& out_;
  std::size_t begin_;
};

bool is_said(std::string_view value) {
  const JsonKind kind = kind_of(value);
  return kind != JsonKind::none && kind != JsonKind::null;
}

// One list of `system`, where it says something, and what the caller sent behind it.
void write_messages(RecordWriter& record, std::string_view system, std::string_view messages) {
  const bool has_system = is_said(system) && system != R"("")";
  if (!has_system && !is_said(messages)) return record.null("messages");
  ItemWriter list(record.value("messages"));
  if (has_system) list.message("system", system);
  switch (kind_of(messages)) {
    case JsonKind::array:
      list.items(messages);
      break;
    case JsonKind::string:
      list.message("user", messages);
      break;
    case JsonKind::none:
    case JsonKind::null:
      break;
    default:
      list.item(messages);
  }
  list.finish();
}

// Of a body that could not be read all is unknown.
void write_members(RecordWriter& record, Body& body, bool is_known,
                   std::span<const Member> members) {
  for (const Member& member : members) {
    const std::string_view value = body.get(member.wanted);
    if (!value.empty()) {
      record.json(member.name, value);
    } else if (!member.otherwise.empty()) {
      record.value(member.name) += is_known ? member.otherwise : "null";
    }
  }
}

void write_chat(RecordWriter& record, Api api, Body& body, bool is_known) {
  if (api == Api::responses) {
    const std::string_view instructions = body.get("instructions");
    const bool is_text = kind_of(instructions) == JsonKind::string;
    write_messages(record, is_text ? instructions : std::string_view{}, body.get("input"));
  } else if (api == Api::messages) {
    write_messages(record, body.get("system"), body.get("messages"));
  } else {
    const std::string_view messages = body.get("messages");
    record.json("messages", messages.empty() ? "null" : messages);
  }
  write_members(record, body, is_known, kChatBegin);
  write_members(record, body, is_known, api == Api::responses ? kResponsesTokens : kChatTokens);
  write_members(record, body, is_known, kChatSampling);
  write_members(record, body, is_known, api == Api::messages ? kMessagesStop : kChatStop);
  write_members(record, body, is_known, kChatEnd);
}

// Why the body of a general route is not in its record; empty: it is.
std::string_view write_payload(RecordWriter& record, const RequestNote& note,
                               std::string_view body) {
  std::string_view shortened = note.too_large ? kTooLarge : note.coded ? kCoded : "";
  std::string& out = record.value("payload");
  const bool may_be_read = !note.too_large && may_be_json(note.content_type, body);
  if (may_be_read && append_record_json(out, body)) return {};
  if (!shortened.empty() || body.empty()) {
    out += "null";
  } else if (!is_utf8(body)) {
    out += "null";
    shortened = kNotUtf8;
  } else {
    out += "\"";
    append_json_escaped(out, body);
    out += "\"";
  }
  return shortened;
}

void write_body(RecordWriter& record, Api api, Body& body, bool is_known) {
  switch (api) {
    case Api::completion:
      return write_members(record, body, is_known, kCompletion);
    case Api::embedding:
      return write_members(record, body, is_known, kEmbedding);
    case Api::whisper:
      return write_members(record, body, is_known, kWhisper);
    default:
      return write_chat(record, api, body, is_known);
  }
}

bool has_caching(Api api) {
  return api == Api::embedding || log_kind(api) == log_kind(Api::chat);
}

std::string_view why_unread(const RequestNote& note, std::string_view text) {
  if (note.too_large) return kTooLarge;
  if (note.coded) return kCoded;
  return is_utf8(text) ? kNotJson : kNotUtf8;
}

}  // namespace

std::string request_record(ConversationApi api, const RequestNote& note, std::string_view text) {
  RecordWriter record(text.size());
  std::string_view shortened;
  Body body;
  if (api == Api::general) {
    record.text("method", note.method);
    record.text("path", note.path);
    record.text_or_null("content_type", note.content_type);
    shortened = write_payload(record, note, text);
    record.number("payload_bytes", note.body_bytes);
  } else {
    // Some clients name a coding that the body does not have.
    const bool is_known = !note.too_large && body.read(text);
    if (!is_known) {
      body = {};
      shortened = why_unread(note, text);
    }
    write_body(record, api, body, is_known);
  }
  record.text_or_null("ip", note.ip);
  record.text("uid", note.uid);
  if (has_caching(api)) record.json("caching", body.get("caching"));
  if (body.lacks_some()) shortened = kTooDeep;
  record.text("datetime", note.datetime);
  record.text_if_any("shortened", shortened);
  record.text("api", to_string(api));
  record.text_if_any("route", note.route);
  record.text_if_any("key", note.key);
  return record.finish();
}

}  // namespace aifd::protocol
