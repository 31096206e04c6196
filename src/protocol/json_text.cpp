#include "json_text.hpp"

#include <algorithm>
#include <charconv>

#include "chars.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostDepth = 512;
constexpr std::size_t kMostMembers = 64;

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

// Behind compact text; a bracket at its end is one, as strings end in a quote.
bool needs_comma(std::string_view before, const Token& token) {
  if (token.kind == Kind::end_object || token.kind == Kind::end_array) return false;
  return !before.empty() && std::string_view{"{[:"}.find(before.back()) == std::string_view::npos;
}

// The length of the string literal that `text` begins with.
std::size_t string_length(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

std::size_t container_length(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    at += c == '"' ? string_length(text.substr(at)) : 1;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return text.size();
}

std::size_t value_length(std::string_view text) {
  if (text.starts_with('"')) return string_length(text);
  if (text.starts_with('{') || text.starts_with('[')) return container_length(text);
  return std::min(text.find(','), text.size());
}

std::string_view take(std::string_view& rest, std::size_t size) {
  const std::string_view taken = rest.substr(0, size);
  rest.remove_prefix(taken.size());
  return taken;
}

}  // namespace

std::optional<std::string> compact_json(std::string_view text) {
  JsonReader reader(text, JsonReader::Surrogates::also_alone);
  std::string compact;
  compact.reserve(text.size());
  for (Token token = reader.next(); token.kind != Kind::end; token = reader.next()) {
    if (token.kind == Kind::invalid || reader.depth() > kMostDepth) return std::nullopt;
    if (needs_comma(compact, token)) compact += ',';
    compact += token.text;
    if (token.kind == Kind::name) compact += ':';
  }
  return compact;
}

JsonKind kind_of(std::string_view value) noexcept {
  if (value.empty()) return JsonKind::none;
  switch (value.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::string;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::string_view inside(std::string_view value) noexcept {
  return value.size() < 2 ? std::string_view{} : value.substr(1, value.size() - 2);
}

std::optional<std::size_t> index_of(std::string_view value) noexcept {
  if (value.empty() || value.size() > 6 || !std::all_of(value.begin(), value.end(), is_digit)) {
    return std::nullopt;
  }
  std::size_t index = 0;
  std::from_chars(value.data(), value.data() + value.size(), index);
  return index;
}

JsonItems::JsonItems(std::string_view container) noexcept
    : has_keys_(kind_of(container) == JsonKind::object) {
  if (has_keys_ || kind_of(container) == JsonKind::array) rest_ = inside(container);
}

bool JsonItems::next(JsonItem& item) noexcept {
  if (rest_.starts_with(',')) rest_.remove_prefix(1);
  if (rest_.empty()) return false;
  item.key = {};
  if (has_keys_) {
    item.key = inside(take(rest_, string_length(rest_)));
    if (rest_.starts_with(':')) rest_.remove_prefix(1);
  }
  item.value = take(rest_, value_length(rest_));
  return true;
}

std::optional<JsonObject> JsonObject::read(std::string_view value) {
  if (kind_of(value) != JsonKind::object) return std::nullopt;
  JsonObject object;
  JsonItems items(value);
  for (JsonItem item; items.next(item);) {
    if (object.members_.size() == kMostMembers || item.key.find('\\') != item.key.npos ||
        !object.get(item.key).empty()) {
      return std::nullopt;
    }
    object.members_.push_back(item);
  }
  return object;
}

std::string_view JsonObject::get(std::string_view key) const noexcept {
  const auto found = std::ranges::find(members_, key, &JsonItem::key);
  return found == members_.end() ? std::string_view{} : found->value;
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty() && out.back() != '{') out += ',';
  out += '"';
  out += key;
  out += "\":";
  out += value;
}

}  // namespace aifd::protocol
