#include <algorithm>
#include <array>
#include <span>

#include "aifd/protocol/conversation.hpp"
#include "body_kind.hpp"
#include "json_text.hpp"
#include "record_json.hpp"
#include "record_names.hpp"
#include "record_writer.hpp"
#include "recorded_body.hpp"

namespace aifd::protocol {
namespace {

using namespace std::string_view_literals;
using Api = ConversationApi;

// Why a body is not in its record.
constexpr std::string_view kTooLarge = "too_large";
constexpr std::string_view kCoded = "coded";
constexpr std::string_view kNotJson = "not_json";
constexpr std::string_view kNotUtf8 = "not_utf8";
constexpr std::string_view kTooDeep = "too_deep";  // of some of its members

struct Member {
  // What an absent one counts as is JSON; empty: it is left out.
  consteval Member(const char* record_name, std::string_view if_absent,
                   const char* body_name = nullptr)
      : name(record_name),
        absent(record_name, if_absent),
        may_be_left_out(if_absent.empty()),
        wanted(body_name ? body_name : record_name) {}

  RecordName name;    // in the record
  RecordName absent;  // the same where it is absent
  bool may_be_left_out;
  RecordedBody::Name wanted;  // in the body
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

// The items of a list that is put together for the record. All are in its form.
class ItemWriter {
 public:
  explicit ItemWriter(LineBuffer& out) : out_(out), begin_(out.size()) { out_.append('['); }

  void item(std::string_view json) {
    separate();
    out_.append(json);
  }

  void message(std::string_view role, std::string_view content) {
    separate();
    for (const std::string_view part :
         {R"({"role":")"sv, role, R"(","content":)"sv, content, "}"sv}) {
      out_.append(part);
    }
  }

  void items(std::string_view list) {
    if (!inside(list).empty()) item(inside(list));
  }

  void finish() { out_.append(']'); }

 private:
  void separate() {
    if (out_.size() > begin_ + 1) out_.append(',');
  }

  LineBuffer& out_;
  std::size_t begin_;
};

bool is_said(std::string_view value) {
  const JsonKind kind = kind_of(value);
  return kind != JsonKind::none && kind != JsonKind::null;
}

// One list of `system`, where it says something, and what the caller sent behind it.
void write_messages(RecordWriter& record, std::string_view system, std::string_view messages,
                    JsonKind kind) {
  const bool has_system = is_said(system) && system != R"("")";
  if (!has_system && !is_said(messages)) return record.null(names::messages);
  ItemWriter list(record.value(names::messages));
  if (has_system) list.message("system", system);
  switch (kind) {
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
void write_members(RecordWriter& record, RecordedBody& body, bool is_known,
                   std::span<const Member> members) {
  for (const Member& member : members) {
    if (body.has(member.wanted)) {
      record.value(member.name).append(body.get(member.wanted));
    } else if (!member.may_be_left_out) {
      is_known ? record.whole(member.absent) : record.null(member.name);
    }
  }
}

void write_chat(RecordWriter& record, Api api, RecordedBody& body, bool is_known) {
  if (api == Api::responses) {
    const std::string_view instructions = body.get("instructions");
    const bool is_text = body.kind("instructions") == JsonKind::string;
    write_messages(record, is_text ? instructions : std::string_view{}, body.get("input"),
                   body.kind("input"));
  } else if (api == Api::messages) {
    write_messages(record, body.get("system"), body.get("messages"), body.kind("messages"));
  } else {
    const std::string_view messages = body.get("messages");
    record.value(names::messages).append(messages.empty() ? "null" : messages);
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
  LineBuffer& out = record.value(names::payload);
  const bool may_be_read = !note.too_large && may_be_json(note.content_type, body);
  if (may_be_read && append_record_json(out, body)) return {};
  if (!shortened.empty() || body.empty()) {
    out.append("null");
  } else if (!is_utf8(body)) {
    out.append("null");
    shortened = kNotUtf8;
  } else {
    out.append('"');
    append_escaped(out, body);
    out.append('"');
  }
  return shortened;
}

void write_body(RecordWriter& record, Api api, RecordedBody& body, bool is_known) {
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
  return api == Api::chat || api == Api::responses || api == Api::messages || api == Api::embedding;
}

// A buffer that its thread keeps.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    buffer_.cut(0);
    buffer_.release(kMostIdleBytes);
  }

  LineBuffer& buffer() noexcept { return buffer_; }

 private:
  static constexpr std::size_t kMostIdleBytes = std::size_t{1} << 20;

  static inline thread_local LineBuffer buffer_;
};

std::string_view why_unread(const RequestNote& note, std::string_view text) {
  if (note.too_large) return kTooLarge;
  if (note.coded) return kCoded;
  return is_utf8(text) ? kNotJson : kNotUtf8;
}

}  // namespace

void append_request_record(LineBuffer& out, ConversationApi api, const RequestNote& note,
                           std::string_view text) {
  RecordWriter record(out);
  std::string_view shortened;
  Scratch scratch;
  RecordedBody body(scratch.buffer());
  if (api == Api::general) {
    record.text(names::method, note.method);
    record.text(names::path, note.path);
    record.text_or_null(names::content_type, note.content_type);
    shortened = write_payload(record, note, text);
    record.number(names::payload_bytes, note.body_bytes);
  } else {
    // Some clients name a coding that the body does not have.
    const bool is_known = !note.too_large && body.read(text);
    if (!is_known) shortened = why_unread(note, text);
    write_body(record, api, body, is_known);
  }
  record.text_or_null(names::ip, note.ip);
  record.text(names::uid, note.uid);
  if (has_caching(api)) {
    const std::string_view caching = body.get("caching");
    record.value(names::caching).append(caching.empty() ? "null" : caching);
  }
  if (body.lacks_some()) shortened = kTooDeep;
  record.word(names::datetime, note.datetime);
  record.word_if_any(names::shortened, shortened);
  record.word(names::api, to_string(api));
  record.text_if_any(names::route, note.route);
  record.text_if_any(names::key, note.key);
  record.finish();
}

}  // namespace aifd::protocol
