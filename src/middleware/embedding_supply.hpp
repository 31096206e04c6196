// Embeddings, which are kept input by input: only those that the store does not have are asked for.
#pragma once

#include "aifd/chain/exchange.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/aside.hpp"
#include "cache_question.hpp"
#include "cache_supply.hpp"
#include "embedding_batch.hpp"

namespace aifd::middleware {

class EmbeddingSupply final : public CacheSupply {
 public:
  // All outlive it. `max_bytes`: of an answer that is taken apart or put together, and of the items
  // that it is put together from. The question's is a request for embeddings.
  EmbeddingSupply(const config::Cache& settings, std::size_t max_bytes, services::CacheStore& store,
                  services::Aside& aside, const chain::Exchange& exchange,
                  const CacheQuestion& question);

  // Entries that are answers as a whole, of no key.
  Task<services::CacheEntryPtr> at_hand() override;
  Task<services::CacheEntryPtr> stored() override;
  services::CacheKey flight_key() const override;
  services::SharedAnswer::Options recording() const override;
  void call(const std::shared_ptr<services::SharedAnswer>& answer) override;

 private:
  void take(std::size_t part, services::CacheEntryPtr entry);
  Task<services::CacheEntryPtr> joined();

  const config::Cache& settings_;
  const std::size_t max_bytes_;
  services::CacheStore& store_;
  services::Aside& aside_;
  const chain::Exchange& exchange_;
  const CacheQuestion& question_;
  const std::shared_ptr<EmbeddingBatch> batch_;  // its call's, once that has begun
  bool useless_ = false;                         // what the store has of them
};

}  // namespace aifd::middleware
