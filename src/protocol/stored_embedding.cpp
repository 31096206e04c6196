#include "stored_embedding.hpp"

#include <algorithm>
#include <array>

#include "embedding_usage.hpp"
#include "json_text.hpp"

namespace aifd::protocol {
namespace {

using Type = PackedNumbers::Type;

constexpr std::string_view kLayout = "aifd embedding 1\n";
constexpr std::string_view kFloat32 = R"("float32")";
constexpr std::string_view kFloat64 = R"("float64")";
constexpr std::size_t kMostHeaderBytes = 4096;

std::string header_of(const StoredEmbedding& embedding) {
  std::string header = "{";
  append_member(header, "numbers", embedding.type == Type::float32 ? kFloat32 : kFloat64);
  append_member(header, "dimensions", std::to_string(embedding.dimensions()));
  append_member(header, "model", embedding.model);
  append_member(header, "usage", embedding.usage);
  append_member(header, "answer", embedding.answer_members);
  append_member(header, "item", embedding.item_members);
  return header += '}';
}

using IsKnown = bool(std::string_view) noexcept;

bool are_unknown(std::string_view value, IsKnown& is_known) {
  const auto object = JsonObject::read(value);
  return object && std::ranges::none_of(object->members(), is_known, &JsonItem::key);
}

bool are_counts(std::string_view usage) {
  const auto counts = read_counts(usage);
  return counts && written_counts(*counts) == usage;
}

bool is_valid(const StoredEmbedding& embedding) {
  return kind_of(embedding.model) == JsonKind::string && are_counts(embedding.usage) &&
         are_unknown(embedding.answer_members, is_known_of_answer) &&
         are_unknown(embedding.item_members, is_known_of_item) &&
         are_packed(embedding.type, embedding.bytes);
}

}  // namespace

bool is_known_of_answer(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"object", "data", "model", "usage"};
  return std::ranges::find(kNames, name) != kNames.end();
}

bool is_known_of_item(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"object", "index", "embedding"};
  return std::ranges::find(kNames, name) != kNames.end();
}

std::string write_stored(const StoredEmbedding& embedding) {
  const std::string header = header_of(embedding);
  std::string stored;
  stored.reserve(kLayout.size() + header.size() + 1 + embedding.bytes.size());
  stored.append(kLayout).append(header) += '\n';
  return stored.append(embedding.bytes);
}

std::optional<StoredEmbedding> read_stored(std::string_view stored) {
  if (!stored.starts_with(kLayout)) return std::nullopt;
  stored.remove_prefix(kLayout.size());
  const std::size_t end = stored.substr(0, kMostHeaderBytes).find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view header = stored.substr(0, end);
  if (compact_json(header) != header) return std::nullopt;
  const auto object = JsonObject::read(header);
  if (!object) return std::nullopt;
  const StoredEmbedding embedding{
      .type = object->get("numbers") == kFloat64 ? Type::float64 : Type::float32,
      .model = object->get("model"),
      .usage = object->get("usage"),
      .answer_members = object->get("answer"),
      .item_members = object->get("item"),
      .bytes = stored.substr(end + 1)};
  if (header_of(embedding) != header || !is_valid(embedding)) return std::nullopt;
  return embedding;
}

}  // namespace aifd::protocol
