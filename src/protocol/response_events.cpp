#include "response_events.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "text_pieces.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostParts = 4096;
constexpr std::size_t kMostIdBytes = 512;

struct Replacement {
  std::string_view key;
  JsonKind type;           // of what is replaced
  std::string_view value;  // the member goes where it is empty
};

// What is not there yet when an item, a part or the response has only begun.
constexpr std::array<Replacement, 5> kBegunResponse{
    {{"status", JsonKind::string, R"("in_progress")"},
     {"output", JsonKind::array, "[]"},
     {"usage", JsonKind::object, "null"},
     {"completed_at", JsonKind::number, "null"},
     {"output_text", JsonKind::string, ""}}};
constexpr std::array<Replacement, 5> kBegunItem{{{"status", JsonKind::string, R"("in_progress")"},
                                                 {"content", JsonKind::array, "[]"},
                                                 {"summary", JsonKind::array, "[]"},
                                                 {"arguments", JsonKind::string, R"("")"},
                                                 {"input", JsonKind::string, R"("")"}}};
constexpr std::array<Replacement, 4> kBegunPart{{{"text", JsonKind::string, R"("")"},
                                                 {"refusal", JsonKind::string, R"("")"},
                                                 {"annotations", JsonKind::array, "[]"},
                                                 {"logprobs", JsonKind::array, "[]"}}};

// A member of another type than is known here stays as it is, and so does null.
std::string begun(const JsonObject& object, std::span<const Replacement> replacements) {
  std::string text = "{";
  for (const JsonItem& item : object.members()) {
    const auto found = std::ranges::find(replacements, item.key, &Replacement::key);
    const bool stays = found == replacements.end() || kind_of(item.value) != found->type;
    if (stays) {
      append_member(text, item.key, item.value);
    } else if (!found->value.empty()) {
      append_member(text, item.key, found->value);
    }
  }
  return text += '}';
}

bool is_string(std::string_view value) {
  return kind_of(value) == JsonKind::string;
}

// How the events of one kind of text are called.
struct TextEvents {
  std::string_view type;      // of its part, quotes included
  std::string_view text_key;  // in the part and in the event that it is done
  std::string_view text;      // of the event
  std::string_view part;
  std::string_view index_key;
  bool has_logprobs;
};

constexpr std::array<TextEvents, 4> kTextEvents{
    {{R"("output_text")", "text", "response.output_text", "response.content_part", "content_index",
      true},
     {R"("refusal")", "refusal", "response.refusal", "response.content_part", "content_index",
      false},
     {R"("reasoning_text")", "text", "response.reasoning_text", "response.content_part",
      "content_index", false},
     {R"("summary_text")", "text", "response.reasoning_summary_text",
      "response.reasoning_summary_part", "summary_index", false}}};

struct CallEvents {
  std::string_view type;  // of the item, quotes included
  std::string_view text_key;
  std::string_view text;
};

constexpr std::array<CallEvents, 3> kCallEvents{
    {{R"("function_call")", "arguments", "response.function_call_arguments"},
     {R"("mcp_call")", "arguments", "response.mcp_call_arguments"},
     {R"("custom_tool_call")", "input", "response.custom_tool_call_input"}}};

// Its functions give false where the response cannot be told in events.
class EventWriter {
 public:
  explicit EventWriter(std::size_t piece_bytes) : piece_bytes_(piece_bytes) {}

  bool write(const JsonObject& response, std::string_view raw) {
    std::string start = "\"response\":";
    start += begun(response, kBegunResponse);
    event("response.created", "", start);
    event("response.in_progress", "", start);
    JsonItems items(response.get("output"));
    std::size_t index = 0;
    for (JsonItem item; items.next(item); ++index) {
      if (!write_item(index, item.value)) return false;
    }
    event("response.completed", "", std::string("\"response\":").append(raw));
    return true;
  }

  std::string take() { return std::move(stream_); }

 private:
  void event(std::string_view type, std::string_view behind_type, std::string_view members) {
    stream_.append("event: ").append(type).append(behind_type);
    stream_.append("\ndata: {\"type\":\"").append(type).append(behind_type);
    stream_.append("\",\"sequence_number\":").append(std::to_string(sequence_number_++));
    stream_.append(",").append(members).append("}\n\n");
  }

  bool count_part() { return ++parts_ <= kMostParts; }

  bool write_item(std::size_t index, std::string_view raw) {
    const auto item = JsonObject::read(raw);
    if (!item || !count_part() || item->get("id").size() > kMostIdBytes) return false;
    const std::string at = "\"output_index\":" + std::to_string(index);
    event("response.output_item", ".added", at + ",\"item\":" + begun(*item, kBegunItem));
    place_ = "\"item_id\":";
    place_ += is_string(item->get("id")) ? item->get("id") : R"("")";
    place_ += ',';
    place_ += at;
    if (!write_parts(item->get("summary")) || !write_parts(item->get("content")) ||
        !write_call(*item)) {
      return false;
    }
    event("response.output_item", ".done", (at + ",\"item\":").append(raw));
    return true;
  }

  bool write_parts(std::string_view parts) {
    JsonItems items(kind_of(parts) == JsonKind::array ? parts : std::string_view{});
    std::size_t index = 0;
    for (JsonItem item; items.next(item); ++index) {
      if (!count_part() || !write_part(index, item.value)) return false;
    }
    return true;
  }

  bool write_part(std::size_t index, std::string_view raw) {
    const auto part = JsonObject::read(raw);
    if (!part) return false;
    const auto events = std::ranges::find(kTextEvents, part->get("type"), &TextEvents::type);
    if (events == kTextEvents.end()) return false;
    const std::string_view text = part->get(events->text_key);
    if (!is_string(text)) return false;
    std::string at = place_;
    append_member(at, events->index_key, std::to_string(index));
    event(events->part, ".added", at + ",\"part\":" + begun(*part, kBegunPart));
    write_text(*events, at, *part);
    if (!write_annotations(at, part->get("annotations"))) return false;
    event(events->part, ".done", (at + ",\"part\":").append(raw));
    return true;
  }

  void write_text(const TextEvents& events, const std::string& at, const JsonObject& part) {
    const std::string_view text = part.get(events.text_key);
    write_deltas(events.text, at, inside(text), events.has_logprobs ? ",\"logprobs\":[]" : "");
    std::string done = at;
    append_member(done, events.text_key, text);
    const std::string_view logprobs = part.get("logprobs");
    const bool has_list = kind_of(logprobs) == JsonKind::array;
    if (events.has_logprobs) append_member(done, "logprobs", has_list ? logprobs : "[]");
    event(events.text, ".done", done);
  }

  void write_deltas(std::string_view type, const std::string& at, std::string_view text,
                    std::string_view behind) {
    TextPieces pieces(text, piece_bytes_);
    std::string members;
    for (std::string_view piece; pieces.next(piece);) {
      members.assign(at).append(",\"delta\":\"").append(piece).append("\"").append(behind);
      event(type, ".delta", members);
    }
  }

  bool write_annotations(const std::string& at, std::string_view annotations) {
    JsonItems items(annotations);
    std::size_t index = 0;
    for (JsonItem item; items.next(item); ++index) {
      if (!count_part()) return false;
      std::string members = at;
      append_member(members, "annotation_index", std::to_string(index));
      append_member(members, "annotation", item.value);
      event("response.output_text.annotation", ".added", members);
    }
    return true;
  }

  bool write_call(const JsonObject& item) {
    const auto events = std::ranges::find(kCallEvents, item.get("type"), &CallEvents::type);
    if (events == kCallEvents.end()) return true;
    const std::string_view text = item.get(events->text_key);
    if (!is_string(text)) return false;
    write_deltas(events->text, place_, inside(text), "");
    std::string done = place_;
    const std::string_view name = item.get("name");
    if (!name.empty() && name.size() <= kMostIdBytes) append_member(done, "name", name);
    append_member(done, events->text_key, text);
    event(events->text, ".done", done);
    return true;
  }

  std::size_t piece_bytes_;
  std::size_t parts_ = 0;  // items, parts and annotations
  std::size_t sequence_number_ = 0;
  std::string place_;  // members that say which item an event belongs to
  std::string stream_;
};

}  // namespace

std::optional<std::string> stream_of_response(const JsonObject& response, std::string_view raw) {
  const std::string_view error = response.get("error");
  if (response.get("status") != R"("completed")" || (!error.empty() && error != "null") ||
      kind_of(response.get("output")) != JsonKind::array) {
    return std::nullopt;
  }
  EventWriter events(piece_bytes(raw.size()));
  if (!events.write(response, raw)) return std::nullopt;
  return events.take();
}

}  // namespace aifd::protocol
