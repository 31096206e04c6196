#include "aifd/protocol/whole_answer.hpp"

#include <algorithm>
#include <string>

#include "json_reader.hpp"
#include "sse_reader.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;

constexpr std::string_view kDone = "[DONE]";

// Most events are told by a search.
bool says_error(std::string_view data) {
  constexpr std::string_view kError = "\"error\"";
  if (data.find(kError) == std::string_view::npos) return false;
  JsonReader reader(data, JsonReader::Surrogates::also_alone);
  for (;;) {
    const JsonReader::Token token = reader.next();
    if (token.kind == Kind::invalid || token.kind == Kind::end) return false;
    if (token.kind == Kind::name && reader.depth() == 1 && token.text == kError) {
      return reader.next().text != "null";
    }
  }
}

// What follows the last event, which an empty line ends: comments, or a "[DONE]" without that line.
bool is_end(std::string_view rest) {
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || line.front() == ':') continue;
    if (line != "data: [DONE]" && line != "data:[DONE]") return false;
  }
  return true;
}

}  // namespace

bool is_whole_stream(std::string_view stream) {
  SseReader events(stream);
  bool has_choices = false;
  bool is_response = false;
  std::string last_name;
  bool done = false;
  std::size_t end = 0;
  while (events.next()) {
    if (events.name() == "error" || says_error(events.data())) return false;
    has_choices = has_choices || events.data().find("\"choices\"") != std::string::npos;
    is_response = is_response || events.name().starts_with("response.");
    last_name = events.name();
    done = events.data() == kDone;
    end = events.end();
  }
  const std::string_view rest = stream.substr(end);
  if (!is_end(rest)) return false;
  if (has_choices) return done || rest.find(kDone) != std::string_view::npos;
  if (is_response) return last_name == "response.completed" || last_name == "response.incomplete";
  return true;
}

bool is_whole_json(std::string_view text) {
  JsonReader reader(text, JsonReader::Surrogates::also_alone);
  for (;;) {
    const Kind kind = reader.next().kind;
    if (kind == Kind::end) return !says_error(text);
    if (kind == Kind::invalid) return false;
  }
}

}  // namespace aifd::protocol
