#include "embedding_supply.hpp"

#include "aifd/services/cache_look_up.hpp"
#include "embedding_call.hpp"

namespace aifd::middleware {

using services::CacheEntry;
using services::CacheEntryPtr;
using services::SharedAnswer;

EmbeddingSupply::EmbeddingSupply(const config::Cache& settings, std::size_t max_bytes,
                                 services::CacheStore& store, services::Aside& aside,
                                 const chain::Exchange& exchange, const CacheQuestion& question)
    : settings_(settings),
      max_bytes_(max_bytes),
      store_(store),
      aside_(aside),
      exchange_(exchange),
      question_(question),
      batch_(question.embeddings) {}

// What this caller finds too old is asked for anew, by itself.
void EmbeddingSupply::take(std::size_t part, CacheEntryPtr entry) {
  const std::optional<std::uint32_t> max_age = question_.control.max_age;
  if (!entry || useless_ || batch_->item_bytes() > max_bytes_) return;
  if (max_age && services::wall_clock_seconds() - entry->stored_at > *max_age) return;
  batch_->put(part, std::move(entry));
}

Task<CacheEntryPtr> EmbeddingSupply::at_hand() {
  for (std::size_t part = 0; part < batch_->parts().size(); ++part) {
    const std::optional<CacheEntryPtr> entry = store_.try_get(batch_->parts()[part].key);
    if (!entry) co_return nullptr;
    take(part, *entry);
  }
  co_return co_await joined();
}

Task<CacheEntryPtr> EmbeddingSupply::stored() {
  std::vector<std::size_t> missing;
  std::vector<services::CacheKey> keys;
  for (std::size_t part = 0; part < batch_->parts().size(); ++part) {
    if (batch_->parts()[part].entry) continue;
    missing.push_back(part);
    keys.push_back(batch_->parts()[part].key);
  }
  services::LookUpBounds bounds;
  bounds.body_bytes = max_bytes_;
  const std::vector<CacheEntryPtr> found =
      co_await services::get_many(store_, std::move(keys), std::move(bounds));
  for (std::size_t i = 0; i < found.size(); ++i) take(missing[i], found[i]);
  co_return co_await joined();
}

// Null: not all are there, or they cannot stand together, so that none is of use.
Task<CacheEntryPtr> EmbeddingSupply::joined() {
  if (!batch_->complete()) co_return nullptr;
  const auto text = std::make_shared<std::optional<std::string>>();
  services::Aside::Work work = [text, batch = batch_, max_bytes = max_bytes_] {
    *text = batch->join(max_bytes);
  };
  co_await aside_.run(batch_->item_bytes(), std::move(work));
  if (!*text) {
    useless_ = true;
    batch_->forget();
    co_return nullptr;
  }
  auto entry = std::make_shared<CacheEntry>();
  entry->fields.push_back({"Content-Type", "application/json"});
  entry->body = *std::move(*text);
  entry->stored_at = batch_->stored_at();
  co_return entry;
}

// Never one of a WholeSupply's.
services::CacheKey EmbeddingSupply::flight_key() const {
  services::CacheKey key = question_.key;
  key.front() ^= 4U;
  return key;
}

// It is kept by the call.
SharedAnswer::Options EmbeddingSupply::recording() const {
  SharedAnswer::Options options;
  options.max_bytes = settings_.max_entry_bytes;
  return options;
}

void EmbeddingSupply::call(const std::shared_ptr<SharedAnswer>& answer) {
  const bool asks_all = useless_ || batch_->complete();
  EmbeddingBatch::Inputs inputs = asks_all ? batch_->all() : batch_->missing();
  const EmbeddingCall::Surroundings surroundings{.calls = *exchange_.calls,
                                                 .store = store_,
                                                 .aside = aside_,
                                                 .time_to_live = settings_.ttl,
                                                 .max_bytes = max_bytes_};
  std::make_shared<EmbeddingCall>(exchange_, batch_, std::move(inputs), answer, surroundings)
      ->start();
}

}  // namespace aifd::middleware
