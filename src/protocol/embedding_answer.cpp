#include "aifd/protocol/embedding_answer.hpp"

#include <algorithm>
#include <cstdint>

#include "embedding_answer_reader.hpp"
#include "embedding_usage.hpp"
#include "json_text.hpp"
#include "stored_embedding.hpp"

namespace aifd::protocol {
namespace {

// nullopt where the usage is there and of no use.
std::optional<std::vector<NamedCount>> counts_of(std::string_view usage) {
  if (usage == "null") return std::vector<NamedCount>{};
  return read_counts(usage);
}

// The usage of each input, as an object.
std::vector<std::string> shared_usage(std::span<const NamedCount> counts,
                                      std::span<const std::size_t> sizes) {
  std::vector<std::vector<NamedCount>> shared(sizes.size());
  for (const NamedCount& count : counts) {
    const std::vector<std::uint64_t> shares = share_out(count.count, sizes);
    for (std::size_t i = 0; i < sizes.size(); ++i) shared[i].push_back({count.name, shares[i]});
  }
  std::vector<std::string> written;
  written.reserve(shared.size());
  for (const auto& share : shared) written.push_back(written_counts(share));
  return written;
}

// The members of an object behind what stands before them.
void append_members(std::string& out, std::string_view object) {
  const std::string_view members = inside(object);
  if (!members.empty()) out.append(",").append(members);
}

void append_item(std::string& out, std::size_t index, const StoredEmbedding& item,
                 EmbeddingEncoding encoding) {
  if (index > 0) out += ',';
  out.append(R"({"object":"embedding","index":)").append(std::to_string(index));
  out += R"(,"embedding":)";
  if (encoding == EmbeddingEncoding::base64) {
    append_as_base64(out, item.type, item.bytes);
  } else {
    append_as_floats(out, item.type, item.bytes);
  }
  append_members(out, item.item_members);
  out += '}';
}

std::size_t usual_bytes(const StoredEmbedding& item, EmbeddingEncoding encoding) {
  constexpr std::size_t kItem = 64;
  const std::size_t number = encoding == EmbeddingEncoding::base64 ? 6 : 23;
  return kItem + item.dimensions() * number;
}

// False where they cannot stand in one answer.
bool match(const StoredEmbedding& a, const StoredEmbedding& b) {
  return a.model == b.model && a.dimensions() == b.dimensions();
}

}  // namespace

std::optional<std::vector<std::string>> split_embedding_answer(std::string_view answer,
                                                               std::span<const std::size_t> sizes) {
  if (sizes.empty()) return std::nullopt;
  const auto read = EmbeddingAnswerReader(answer, sizes.size()).read();
  if (!read) return std::nullopt;
  const auto counts = counts_of(read->usage);
  if (!counts) return std::nullopt;
  const std::vector<std::string> usage = shared_usage(*counts, sizes);
  std::vector<std::string> stored;
  stored.reserve(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const EmbeddingAnswer::Item& item = read->items[i];
    stored.push_back(write_stored({.type = item.numbers.type,
                                   .model = read->model,
                                   .usage = usage[i],
                                   .answer_members = read->unknown,
                                   .item_members = item.unknown,
                                   .bytes = item.numbers.bytes}));
  }
  return stored;
}

bool is_stored_embedding(std::string_view stored) {
  return read_stored(stored).has_value();
}

std::optional<std::string> join_embedding_answer(std::span<const std::string_view> stored,
                                                 EmbeddingEncoding encoding,
                                                 std::size_t max_bytes) {
  std::optional<StoredEmbedding> first;
  std::vector<NamedCount> usage;
  std::string answer = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto item = read_stored(stored[i]);
    if (!item) return std::nullopt;
    if (!first) {
      first = item;
      answer.reserve(std::min(stored.size() * usual_bytes(*item, encoding), max_bytes));
    }
    const auto counts = read_counts(item->usage);
    if (!match(*first, *item) || !counts || !add_counts(usage, *counts)) return std::nullopt;
    append_item(answer, i, *item, encoding);
    if (answer.size() > max_bytes) return std::nullopt;
  }
  if (!first) return std::nullopt;
  answer.append(R"(],"model":)").append(first->model);
  append_members(answer, first->answer_members);
  if (!usage.empty()) answer.append(R"(,"usage":)").append(written_counts(usage));
  answer += '}';
  if (answer.size() > max_bytes) return std::nullopt;
  return answer;
}

}  // namespace aifd::protocol
