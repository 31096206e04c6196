#include "aifd/protocol/stream_to_answer.hpp"

#include "chunk_joiner.hpp"
#include "sse_reader.hpp"

namespace aifd::protocol {
namespace {

std::optional<std::string> completed_response(const JsonObject& event) {
  const std::string_view raw = event.get("response");
  const auto response = JsonObject::read(raw);
  if (!response || response->get("object") != R"("response")" ||
      response->get("status") != R"("completed")" ||
      kind_of(response->get("output")) != JsonKind::array) {
    return std::nullopt;
  }
  return std::string(raw);
}

// One stream, event by event.
class StreamReader {
 public:
  enum class Step { more, end, broken };

  // At the end answer() has what came.
  Step take(const std::string& data) {
    if (data == "[DONE]") {
      if (!is_responses_) answer_ = chunks_.answer();
      return Step::end;
    }
    const auto compact = compact_json(data);
    if (!compact) return Step::broken;
    const auto event = JsonObject::read(*compact);
    if (!event) return Step::broken;
    const std::string_view type = inside(event->get("type"));
    if (chunks_.empty() && type.starts_with("response.")) is_responses_ = true;
    if (is_responses_) return take_responses_event(type, *event);
    return chunks_.add(*event) ? Step::more : Step::broken;
  }

  std::optional<std::string> answer() { return std::move(answer_); }

 private:
  Step take_responses_event(std::string_view type, const JsonObject& event) {
    if (type == "error" || type == "response.failed" || type == "response.incomplete") {
      return Step::broken;
    }
    if (type != "response.completed") return Step::more;
    answer_ = completed_response(event);
    return Step::end;
  }

  ChunkJoiner chunks_;
  bool is_responses_ = false;
  std::optional<std::string> answer_;
};

}  // namespace

std::optional<std::string> answer_from_stream(std::string_view stream) {
  SseReader events(stream);
  StreamReader reader;
  while (events.next()) {
    if (events.name() == "error") return std::nullopt;
    if (events.data().empty()) continue;
    const StreamReader::Step step = reader.take(events.data());
    if (step == StreamReader::Step::broken) return std::nullopt;
    if (step == StreamReader::Step::end) return reader.answer();
  }
  return std::nullopt;
}

}  // namespace aifd::protocol
