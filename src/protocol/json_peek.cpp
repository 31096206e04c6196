#include "aifd/protocol/json_peek.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kMaxDepth = 1024;

// Up to this size of body a thread keeps its parser and its copy for the next one.
constexpr std::size_t kKeptBytes = std::size_t{256} * 1024;

struct Scratch {
  ondemand::parser parser;
  std::string copy;
};

// At most `limit`; the search is the library's and fast where there are few.
std::size_t count_up_to(std::string_view text, char c, std::size_t limit) {
  std::size_t count = 0;
  for (std::size_t at = text.find(c); at != std::string_view::npos && count < limit;
       at = text.find(c, at + 1)) {
    ++count;
  }
  return count;
}

std::size_t depth_of(std::string_view body) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

// simdjson skips nested values without counting. Few bodies have so many brackets that the second
// walk is needed.
bool is_too_deep(std::string_view body) {
  const std::size_t limit = kMaxDepth + 1;
  if (body.size() < limit) return false;
  if (count_up_to(body, '{', limit) + count_up_to(body, '[', limit) < limit) return false;
  return depth_of(body) > kMaxDepth;
}

// False where the value is broken. Where it is no string the model counts as absent.
bool read_model(ondemand::value value, const char* begin, JsonPeek& peek) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::string) return true;
  std::string_view literal = value.raw_json_token();
  literal = literal.substr(0, literal.find_last_of('"') + 1);
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  peek.model = std::string(text);
  peek.model_offset = static_cast<std::size_t>(literal.data() - begin);
  peek.model_length = literal.size();
  return true;
}

bool read_stream(ondemand::value value, JsonPeek& peek) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  if (type != ondemand::json_type::boolean) return true;
  bool stream = false;
  if (value.get_bool().get(stream) != simdjson::SUCCESS) return false;
  peek.stream = stream;
  return true;
}

bool read_object(ondemand::object object, const char* begin, JsonPeek& peek) {
  bool has_model = false;
  bool has_stream = false;
  for (auto entry : object) {
    ondemand::field field;
    if (std::move(entry).get(field) != simdjson::SUCCESS) return false;
    std::string_view key;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
    // Servers written in Go take "Model" for "model".
    if (iequals(key, "model")) {
      if (key != "model" || std::exchange(has_model, true)) return false;
      if (!read_model(field.value(), begin, peek)) return false;
    } else if (key == "stream") {
      if (std::exchange(has_stream, true) || !read_stream(field.value(), peek)) return false;
    }
  }
  return true;
}

std::optional<JsonPeek> peek_with(Scratch& scratch, std::string_view body) {
  std::string& copy = scratch.copy;
  copy.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  copy.assign(body);
  copy.append(simdjson::SIMDJSON_PADDING, '\0');
  if (scratch.parser.capacity() < body.size() &&
      scratch.parser.allocate(std::bit_ceil(body.size())) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  const simdjson::padded_string_view padded(copy.data(), body.size(), copy.size());
  ondemand::document document;
  ondemand::object object;
  JsonPeek peek;
  if (scratch.parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS ||
      !read_object(object, copy.data(), peek)) {
    return std::nullopt;
  }
  const bool is_at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  if (!is_at_end) return std::nullopt;
  return peek;
}

}  // namespace

std::optional<JsonPeek> peek_json(std::string_view body) {
  if (is_too_deep(body)) return std::nullopt;
  if (body.size() > kKeptBytes) {
    Scratch scratch;
    return peek_with(scratch, body);
  }
  thread_local Scratch scratch;
  return peek_with(scratch, body);
}

}  // namespace aifd::protocol
