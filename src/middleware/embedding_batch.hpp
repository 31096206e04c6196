// The inputs of one request for embeddings, with what the cache has of each.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/protocol/embedding_request.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::middleware {

// Equal inputs are one part, which is looked up, asked for and kept once. An entry's body is a
// stored item of embedding_answer.hpp, and it has no fields. Used by one thread at a time.
class EmbeddingBatch {
 public:
  // Indexes into the request's inputs, rising.
  using Inputs = std::vector<std::size_t>;

  struct Part {
    services::CacheKey key;
    std::size_t input = 0;          // the first that is this part
    std::size_t times = 0;          // how many are
    services::CacheEntryPtr entry;  // null: missing
  };

  // `common`: the key of what the inputs have in common, which is of no answer.
  EmbeddingBatch(protocol::EmbeddingRequest request, const services::CacheKey& common);

  std::span<const Part> parts() const noexcept { return parts_; }
  bool complete() const noexcept { return missing_ == 0; }
  // Of the items that are there, each as often as it is to be in the answer.
  std::size_t item_bytes() const noexcept { return item_bytes_; }
  // When the oldest entry was stored; of a complete one.
  std::int64_t stored_at() const noexcept;

  // In the place of an entry that is there. An entry that is no stored item is a miss.
  void put(std::size_t part, services::CacheEntryPtr entry);
  // All are missing.
  void forget() noexcept;

  Inputs all() const;
  Inputs missing() const;  // at least one where it is not complete
  bool is_all(std::span<const std::size_t> inputs) const noexcept {
    return inputs.size() == request_.inputs.size();
  }
  // The request with these inputs; `body` is the one that it was read from.
  std::string body_with(std::string_view body, std::span<const std::size_t> inputs) const;

  // Takes an upstream's answer to a request with these inputs apart. False: it cannot be.
  bool take(std::string_view answer, std::span<const std::size_t> inputs, std::int64_t now,
            std::chrono::seconds time_to_live);
  // Puts what take() took into the store.
  void keep(std::span<const std::size_t> inputs, services::CacheStore& store) const;

  // The answer to the request, of a complete one, of at most `max_bytes`. nullopt: what is there
  // cannot stand in one answer.
  std::optional<std::string> join(std::size_t max_bytes) const;

 private:
  const protocol::EmbeddingRequest request_;
  std::vector<Part> parts_;           // in the order of their first inputs
  std::vector<std::size_t> part_of_;  // of each input
  std::size_t missing_ = 0;
  std::size_t item_bytes_ = 0;
};

}  // namespace aifd::middleware
