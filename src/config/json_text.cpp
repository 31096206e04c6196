#include "json_text.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <vector>

#include "text.hpp"

namespace aifd::config {
namespace {

constexpr int kDeepest = 16;

class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Looks at every event of the parser, for what the parser itself would let pass.
class Guard {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kDeepest) throw Refused("is nested more than 16 levels deep");
    }
    if (event == Event::object_start) names_.emplace_back();
    if (event == Event::object_end) names_.pop_back();
    if (event == Event::key && !names_.back().insert(value.get<std::string>()).second) {
      throw Refused("has one name twice in the same {...}; only one of the two could count");
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> names_;  // of the objects that are open now
};

std::string position(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  if (line == 1) return "character " + std::to_string(column);
  return "line " + std::to_string(line) + ", character " + std::to_string(column);
}

std::string hint(std::string_view text) {
  const bool wrapped = text.size() > 1 && (text.front() == '\'' || text.front() == '"') &&
                       text.back() == text.front();
  if (wrapped && looks_like_json(trim(text.substr(1, text.size() - 2)))) {
    return ": the quotes around it are part of the value, take them away";
  }
  if (text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos) {
    return ": JSON wants double quotes";
  }
  return "";
}

}  // namespace

Result<Json> to_result(Json value) {
  return {Result<Json>::in_place_value, std::move(value)};
}

Result<Json> parse_json(std::string_view text) {
  try {
    return to_result(Json::parse(text, Json::parser_callback_t(Guard{})));
  } catch (const Refused& error) {
    return wrong(error.what());
  } catch (const Json::parse_error& error) {
    return wrong("is not valid JSON at " + position(text, error.byte) + hint(text));
  } catch (const Json::exception&) {
    return wrong("is not valid JSON: a number is too large");
  }
}

bool looks_like_json(std::string_view text) {
  return text.starts_with('[') || text.starts_with('{') || text.starts_with('"');
}

std::string json_type(const Json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_null()) return "null";
  return "a number";
}

}  // namespace aifd::config
