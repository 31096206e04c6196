#include "aifd/protocol/answer_to_stream.hpp"

#include "choice_chunks.hpp"
#include "json_text.hpp"
#include "response_events.hpp"

namespace aifd::protocol {

std::optional<std::string> stream_from_answer(std::string_view answer, bool include_usage) {
  const auto compact = compact_json(answer);
  if (!compact) return std::nullopt;
  const auto object = JsonObject::read(*compact);
  if (!object) return std::nullopt;
  const std::string_view kind = inside(object->get("object"));
  if (kind == "response") return stream_of_response(*object, *compact);
  if (kind != "chat.completion" && kind != "text_completion") return std::nullopt;
  return stream_of_choices(*object, compact->size(), include_usage);
}

}  // namespace aifd::protocol
