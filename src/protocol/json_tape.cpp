#include "json_tape.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

#include "canonical_scalars.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;
using Token = JsonReader::Token;

constexpr std::size_t kUsualValues = 32;
constexpr std::size_t kTooLarge = std::numeric_limits<std::uint32_t>::max() / 2;
constexpr std::string_view kPassedOver = R"("logprobs")";

// At least so many bytes are the same at the beginning of both.
std::size_t alike_bytes(std::string_view a, std::string_view b) noexcept {
  constexpr unsigned kAll = 0xFFFF;
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t at = 0;
  for (; size - at >= sizeof(Bytes); at += sizeof(Bytes)) {
    const Bytes same = Bytes(load_bytes(a.data() + at) == load_bytes(b.data() + at));
    if (bits_of(same) != kAll) return at + first_bit(~bits_of(same));
  }
  return at;
}

}  // namespace

bool JsonTape::read(std::string_view text) {
  text_ = text;
  pattern_.clear();
  if (take_tokens()) return true;
  nodes_.clear();
  return false;
}

bool JsonTape::read_next(std::string_view text) {
  text_ = text;
  const bool is_alike = !pattern_.empty() && take_values();
  if (!is_alike && !read(text)) return false;
  const bool is_pattern = text.size() <= kMostPatternBytes && names_.empty();
  pattern_ = is_pattern ? text : std::string_view{};
  return true;
}

// Takes the strings, numbers and literals that stand where those of the pattern do, if all between
// them is the same.
bool JsonTape::take_values() {
  if (text_.size() >= kTooLarge || !simdjson::validate_utf8(text_.data(), text_.size())) {
    return false;
  }
  const std::string_view pattern = pattern_;
  const std::size_t alike = alike_bytes(text_, pattern);
  std::uint32_t shift = 0;  // modulo 2^32
  std::size_t from = 0;     // in the pattern
  std::size_t at = 0;       // the same place in the text
  shifts_.assign(nodes_.size() + 1, 0);
  const std::span nodes(nodes_);
  const std::span shifts(shifts_);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    shifts[i] = shift;
    if (node.kind == JsonKind::object || node.kind == JsonKind::array) continue;
    const std::size_t end = node.begin + node.size;
    if (end < alike) {
      from = at = end;
      continue;
    }
    const std::string_view between = pattern.substr(from, node.begin - from);
    if (!text_.substr(at).starts_with(between)) return false;
    at += between.size();
    const std::size_t length = scalar_length(at);
    if (length == 0) return false;
    node.kind = kind_of(text_.substr(at, 1));
    from = end;
    at += length;
    shift = static_cast<std::uint32_t>(at - from);
    if (text_.substr(at) == pattern.substr(from)) {
      std::ranges::fill(shifts.subspan(i + 1), shift);
      break;
    }
  }
  if (text_.substr(at) != pattern.substr(from)) return false;
  shifts.back() = shift;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Node& node = nodes[i];
    if (shifts[i] == 0 && shifts[node.next] == 0) continue;
    node.begin += shifts[i];
    node.key_begin = node.key_size == 0 ? 0 : node.key_begin + shifts[i];
    node.size += shifts[node.next] - shifts[i];
  }
  return true;
}

// Of the one that stands there; 0: none.
std::size_t JsonTape::scalar_length(std::size_t at) const noexcept {
  if (at == text_.size()) return 0;
  if (text_[at] != '"') {
    const std::string_view rest = text_.substr(at);
    return std::max(json_literal_length(rest), json_number_length(rest));
  }
  const std::size_t end = scan_string(text_, at + 1, Surrogates::also_alone).end;
  return end < text_.size() && text_[end] == '"' ? end + 1 - at : 0;
}

// Flat, since the reader's steps are cheaper than the calls of them.
[[gnu::flatten]] bool JsonTape::take_tokens() {
  nodes_.clear();
  nodes_.reserve(kUsualValues);
  names_.clear();
  open_ = 0;
  if (text_.size() >= kTooLarge) return false;
  JsonReader reader(text_, JsonReader::Surrogates::also_alone);
  Token name{};  // of the member whose value comes next
  for (;;) {
    const Token token = reader.next();
    switch (token.kind) {
      case Kind::name:
        name = token;
        break;
      case Kind::end_object:
      case Kind::end_array:
        close(place(token.text) + 1);
        break;
      case Kind::end:
        return true;
      case Kind::invalid:
        return false;
      default:
        if (!add(reader, token, name)) return false;
        name = {};
    }
  }
}

bool JsonTape::add(JsonReader& reader, const Token& token, const Token& name) {
  if (nodes_.size() == kMostValues) return false;
  const bool opens = token.kind == Kind::begin_object || token.kind == Kind::begin_array;
  const bool is_passed_over = opens && name.text == kPassedOver;
  const std::string_view value = is_passed_over ? reader.finish_value(token) : token.text;
  const auto at = static_cast<std::uint32_t>(nodes_.size());
  Node node{place(value), static_cast<std::uint32_t>(value.size()), at + 1, 0, 0, kind_of(value)};
  if (!name.text.empty()) {
    node.key_begin = place(name.text) + 1;
    node.key_size = static_cast<std::uint32_t>(name.text.size() - 2);
    if (name.has_escapes) unescape_key(node, name);
  }
  if (opens && !is_passed_over) {
    node.next = open_;
    open_ = at;
  }
  nodes_.push_back(node);
  return !value.empty();
}

// What is found behind the text.
void JsonTape::unescape_key(Node& node, const Token& name) {
  const std::string word = word_of(name);
  if (word.empty()) return;
  node.key_begin = static_cast<std::uint32_t>(text_.size() + names_.size());
  node.key_size = static_cast<std::uint32_t>(word.size());
  names_ += word;
}

void JsonTape::give_back_much() {
  if (held_bytes() <= kMostIdleBytes) return;
  nodes_.clear();
  nodes_.shrink_to_fit();
  names_.clear();
  names_.shrink_to_fit();
  pattern_.clear();
}

void JsonTape::close(std::size_t end) noexcept {
  Node& node = nodes_[open_];
  node.size = static_cast<std::uint32_t>(end - node.begin);
  open_ = node.next;
  node.next = static_cast<std::uint32_t>(nodes_.size());
}

std::uint64_t JsonTape::Value::count() const noexcept {
  constexpr std::uint64_t kMost = 1'000'000'000'000;
  if (!is(JsonKind::number)) return 0;
  const std::string_view digits = text();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  return is_whole && value <= kMost ? value : 0;
}

JsonTape::Value JsonTape::Value::get(std::string_view key) const noexcept {
  Value found;
  if (!is(JsonKind::object)) return found;
  for (const Value member : *this) {
    if (member.key() == key) found = member;
  }
  return found;
}

}  // namespace aifd::protocol
