#include "whole_supply.hpp"

#include "aifd/chain/upstream_calls.hpp"
#include "cache_reply.hpp"
#include "kept_head.hpp"

namespace aifd::middleware {

using services::CacheEntryPtr;
using services::SharedAnswer;

Task<CacheEntryPtr> WholeSupply::at_hand() {
  co_return store_.try_get(question_.key).value_or(nullptr);
}

Task<CacheEntryPtr> WholeSupply::stored() {
  return store_.get(question_.key);
}

// Streams with their usage and without it are not equal while they come.
services::CacheKey WholeSupply::flight_key() const {
  services::CacheKey key = question_.key;
  if (question_.wants_usage) key.front() ^= 1U;
  return key;
}

SharedAnswer::Options WholeSupply::recording() const {
  const bool openai = place_.openai;
  const bool asks_usage = question_.wants_usage;
  const std::chrono::seconds ttl = settings_.ttl;
  services::CacheStore& store = store_;
  return {
      .max_bytes = settings_.max_entry_bytes,
      .choose = [=](const protocol::ResponseHead& head) -> std::optional<SharedAnswer::Keeping> {
        std::optional<KeptHead> kept = kept_head(head, openai, ttl);
        if (!kept) return std::nullopt;
        if (asks_usage) kept->fields.push_back({std::string(kAskedUsage), "1"});
        return SharedAnswer::Keeping{std::move(kept->fields), kept->ttl};
      },
      .keep =
          [=, &store, key = question_.key](const CacheEntryPtr& entry) {
            if (!openai || went_well(*entry)) store.put(key, entry);
          }};
}

void WholeSupply::call(const std::shared_ptr<SharedAnswer>& answer) {
  exchange_.calls->start(std::make_unique<chain::DetachedExchange>(exchange_), answer);
}

}  // namespace aifd::middleware
