#include "embedding_answer_reader.hpp"

#include <charconv>
#include <system_error>
#include <utility>

#include "canonical_scalars.hpp"
#include "json_text.hpp"
#include "stored_embedding.hpp"

namespace aifd::protocol {
namespace {

using Kind = JsonReader::Kind;

// nullopt also where the literal is too near to 0 for a double.
std::optional<double> number_of(std::string_view literal) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(literal.data(), literal.data() + literal.size(), number);
  if (error != std::errc{} || !fits_float32(number)) return std::nullopt;
  return number;
}

// False where it was set before.
bool set_once(std::string_view& field, std::string_view value) {
  if (!field.empty()) return false;
  field = value;
  return true;
}

// Ends the object; false where a name is there twice.
bool end_object(std::string& members) {
  members += '}';
  return JsonObject::read(members).has_value();
}

}  // namespace

std::optional<EmbeddingAnswer> EmbeddingAnswerReader::read() {
  if (reader_.next().kind != Kind::begin_object) return std::nullopt;
  const bool is_read = read_members(
      [this](std::string_view name, const Token& value) { return take_of_answer(name, value); });
  if (!is_read || reader_.next().kind != Kind::end) return std::nullopt;
  return finish();
}

template <class Take>
bool EmbeddingAnswerReader::read_members(Take take) {
  Token name = reader_.next();
  for (; name.kind == Kind::name; name = reader_.next()) {
    if (name.has_escapes || !take(inside(name.text), reader_.next())) return false;
  }
  return name.kind == Kind::end_object;
}

bool EmbeddingAnswerReader::take_of_answer(std::string_view name, const Token& value) {
  if (name == "data") return take_data(value);
  if (!is_known_of_answer(name)) return take_unknown(name, value, unknown_);
  const std::string_view text = reader_.finish_value(value);
  if (text.empty()) return false;
  if (name == "object") return set_once(object_, text);
  if (name == "model") return set_once(model_, text);
  return set_once(usage_, text);
}

bool EmbeddingAnswerReader::take_data(const Token& value) {
  if (std::exchange(has_data_, true) || value.kind != Kind::begin_array) return false;
  Token token = reader_.next();
  for (; token.kind == Kind::begin_object; token = reader_.next()) {
    if (!take_item()) return false;
  }
  return token.kind == Kind::end_array;
}

bool EmbeddingAnswerReader::take_item() {
  EmbeddingAnswer::Item item{.numbers = {}, .unknown = "{"};
  std::string_view object;
  std::string_view index;
  const bool is_read = read_members([&](std::string_view name, const Token& value) {
    if (name == "embedding") return item.numbers.bytes.empty() && take_numbers(value, item.numbers);
    if (name == "object") return set_once(object, value.text);
    if (name == "index") return set_once(index, value.text);
    return take_unknown(name, value, item.unknown);
  });
  return is_read && object == R"("embedding")" && !item.numbers.bytes.empty() &&
         end_object(item.unknown) && put(index, std::move(item));
}

// Each index once, all of one size.
bool EmbeddingAnswerReader::put(std::string_view index, EmbeddingAnswer::Item item) {
  const std::size_t dimensions = item.numbers.bytes.size() / size_of(item.numbers.type);
  if (dimensions_ == 0) dimensions_ = dimensions;
  const auto at = index_of(index);
  if (dimensions != dimensions_ || !at || *at >= items_.size() || items_[*at]) return false;
  items_[*at] = std::move(item);
  return true;
}

bool EmbeddingAnswerReader::take_numbers(const Token& value, PackedNumbers& numbers) {
  if (value.kind == Kind::begin_array) return take_list(numbers);
  if (value.kind != Kind::string) return false;
  std::string decoded;
  if (value.has_escapes) append_canonical_string(decoded, value.text);  // "\/"
  auto packed = pack_base64(inside(value.has_escapes ? decoded : value.text));
  if (!packed) return false;
  numbers = *std::move(packed);
  return true;
}

bool EmbeddingAnswerReader::take_list(PackedNumbers& numbers) {
  list_.clear();
  Token token = reader_.next();
  for (; token.kind == Kind::number; token = reader_.next()) {
    const auto number = number_of(token.text);
    if (!number || list_.size() == kMostDimensions) return false;
    list_.push_back(*number);
  }
  if (token.kind != Kind::end_array || list_.empty()) return false;
  numbers = pack(list_);
  return true;
}

bool EmbeddingAnswerReader::take_unknown(std::string_view name, const Token& value,
                                         std::string& members) {
  const std::string_view text = reader_.finish_value(value);
  if (text.empty() || members.size() + name.size() + text.size() > kMostUnknownBytes) return false;
  const auto compact = compact_json(text);
  if (!compact) return false;
  append_member(members, name, *compact);
  return true;
}

std::optional<EmbeddingAnswer> EmbeddingAnswerReader::finish() {
  if (object_ != R"("list")" || kind_of(model_) != JsonKind::string ||
      model_.size() > kMostModelBytes || !end_object(unknown_)) {
    return std::nullopt;
  }
  auto usage = compact_json(usage_.empty() ? "null" : usage_);
  if (!usage) return std::nullopt;
  EmbeddingAnswer answer;
  answer.items.reserve(items_.size());
  for (auto& item : items_) {
    if (!item) return std::nullopt;
    answer.items.push_back(*std::move(item));
  }
  answer.model = model_;
  answer.usage = std::move(*usage);
  answer.unknown = std::move(unknown_);
  return answer;
}

}  // namespace aifd::protocol
