#include "embedding_batch.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "aifd/protocol/embedding_answer.hpp"
#include "aifd/services/cache_key.hpp"

namespace aifd::middleware {

using services::CacheEntry;
using services::CacheEntryPtr;
using services::CacheKey;

namespace {

// A key of a key, so that thousands of inputs do not cost as many times the length of what they
// have in common. Without a method, which every other key has.
CacheKey input_key(const CacheKey& common, std::string_view input) {
  const protocol::Fields none;
  return services::make_cache_key(
      {.upstream = {},
       .method = {},
       .path = {},
       .query = {},
       .fields = none,
       .scope = {reinterpret_cast<const char*>(common.data()), common.size()},
       .body_is = protocol::CacheKeyBody::canonical,
       .body = input});
}

}  // namespace

EmbeddingBatch::EmbeddingBatch(protocol::EmbeddingRequest request, const CacheKey& common)
    : request_(std::move(request)) {
  std::map<CacheKey, std::size_t> known;
  part_of_.reserve(request_.inputs.size());
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    const CacheKey own = input_key(common, request_.inputs[i].text);
    const auto [place, is_new] = known.emplace(own, parts_.size());
    if (is_new) parts_.push_back({own, i, 0, nullptr});
    ++parts_[place->second].times;
    part_of_.push_back(place->second);
  }
  missing_ = parts_.size();
}

std::int64_t EmbeddingBatch::stored_at() const noexcept {
  const auto older = [](const Part& a, const Part& b) {
    return a.entry->stored_at < b.entry->stored_at;
  };
  return std::ranges::min_element(parts_, older)->entry->stored_at;
}

void EmbeddingBatch::put(std::size_t part, CacheEntryPtr entry) {
  if (!protocol::is_stored_embedding(entry->body)) return;
  Part& place = parts_[part];
  if (place.entry) {
    item_bytes_ -= place.entry->body.size() * place.times;
  } else {
    --missing_;
  }
  item_bytes_ += entry->body.size() * place.times;
  place.entry = std::move(entry);
}

void EmbeddingBatch::forget() noexcept {
  for (Part& part : parts_) part.entry.reset();
  missing_ = parts_.size();
  item_bytes_ = 0;
}

EmbeddingBatch::Inputs EmbeddingBatch::all() const {
  Inputs inputs(request_.inputs.size());
  std::iota(inputs.begin(), inputs.end(), std::size_t{0});
  return inputs;
}

EmbeddingBatch::Inputs EmbeddingBatch::missing() const {
  Inputs inputs;
  for (const Part& part : parts_) {
    if (!part.entry) inputs.push_back(part.input);
  }
  return inputs;
}

std::string EmbeddingBatch::body_with(std::string_view body,
                                      std::span<const std::size_t> inputs) const {
  return protocol::with_inputs(body, request_, inputs);
}

bool EmbeddingBatch::take(std::string_view answer, std::span<const std::size_t> inputs,
                          std::int64_t now, std::chrono::seconds time_to_live) {
  std::vector<std::size_t> sizes;
  for (const std::size_t i : inputs) sizes.push_back(request_.inputs[i].size);
  std::optional<std::vector<std::string>> items = protocol::split_embedding_answer(answer, sizes);
  if (!items) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    auto entry = std::make_shared<CacheEntry>();
    entry->body = std::move((*items)[i]);
    entry->stored_at = now;
    if (time_to_live.count() > 0) entry->expires_at = now + time_to_live.count();
    put(part_of_[inputs[i]], std::move(entry));
  }
  return true;
}

void EmbeddingBatch::keep(std::span<const std::size_t> inputs, services::CacheStore& store) const {
  for (const std::size_t i : inputs) {
    const Part& part = parts_[part_of_[i]];
    if (part.input == i) store.put(part.key, part.entry);
  }
}

std::optional<std::string> EmbeddingBatch::join(std::size_t max_bytes) const {
  std::vector<std::string_view> items;
  items.reserve(part_of_.size());
  for (const std::size_t part : part_of_) items.push_back(parts_[part].entry->body);
  return protocol::join_embedding_answer(items, request_.encoding, max_bytes);
}

}  // namespace aifd::middleware
