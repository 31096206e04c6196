#include "aifd/protocol/usage_event.hpp"

#include <utility>

#include "json_reader.hpp"
#include "sse_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;

// Most events are told by a search or by their first choice.
bool is_usage_event(std::string_view data) {
  constexpr std::string_view kUsage = "\"usage\"";
  constexpr std::string_view kChoices = "\"choices\"";
  if (data.find(kUsage) == std::string_view::npos) return false;
  JsonReader reader(data, JsonReader::Surrogates::also_alone);
  if (reader.next().kind != Kind::begin_object) return false;
  bool has_usage = false;
  bool has_choices = false;
  for (;;) {
    const JsonReader::Token token = reader.next();
    if (token.kind == Kind::invalid) return false;
    if (token.kind == Kind::end) return has_usage && has_choices;
    if (token.kind != Kind::name || reader.depth() > 1) continue;
    if (token.text == kUsage) {
      if (std::exchange(has_usage, true) || reader.next().kind != Kind::begin_object) return false;
    } else if (token.text == kChoices) {
      if (std::exchange(has_choices, true) || reader.next().kind != Kind::begin_array ||
          reader.next().kind != Kind::end_array) {
        return false;
      }
    }
  }
}

}  // namespace

bool has_usage_event(std::string_view stream) {
  SseReader events(stream);
  while (events.next()) {
    if (is_usage_event(events.data())) return true;
  }
  return false;
}

std::string without_usage_event(std::string_view stream) {
  std::string kept;
  kept.reserve(stream.size());
  std::size_t from = 0;
  SseReader events(stream);
  while (events.next()) {
    if (!is_usage_event(events.data())) continue;
    kept += stream.substr(from, events.begin() - from);
    from = events.end();
  }
  return kept += stream.substr(from);
}

}  // namespace aifd::protocol
