// What a request asks of the cache.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aifd/chain/exchange.hpp"
#include "aifd/protocol/cache_control.hpp"
#include "aifd/services/cache_key.hpp"
#include "cache_rules.hpp"
#include "embedding_batch.hpp"

namespace aifd::middleware {

struct CacheQuestion {
  services::CacheKey key{};
  bool wants_stream = false;
  bool wants_usage = false;  // of a stream: stream_options.include_usage
  bool converts = false;     // an answer in the other form serves too
  protocol::CacheControl control;
  bool reads = true;  // false: the caller wants no stored answer, but its own may be stored

  // A request whose inputs are kept one by one; null: its answer is kept whole.
  std::shared_ptr<EmbeddingBatch> embeddings;
};

// nullopt: the cache has no part in it. The body is held whole.
std::optional<CacheQuestion> read_question(chain::Exchange& exchange, const CachePlace& place,
                                           bool shared_by_all);

// With whom a caller shares answers; an opaque text. nullopt: with nobody, and not with its own
// next request either: it is not known who the upstream takes it for, or what its answer holds is
// not for others' eyes.
//
// Besides the keys that aifd knows, every field whose name sounds like a secret ("X-Auth-Token")
// tells callers apart: an upstream may look at it.
std::optional<std::string> cache_scope(const chain::Exchange& exchange, bool shared_by_all);

}  // namespace aifd::middleware
