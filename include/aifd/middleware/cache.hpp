// Answers requests from the cache, and keeps the answers of others there (CACHE_*).
#pragma once

#include <memory>

#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/services/aside.hpp"
#include "aifd/services/cache_store.hpp"
#include "aifd/services/flights.hpp"

namespace aifd::middleware {

class CacheRules;
struct CachePlace;

// The last link, since it calls the upstream itself: one call for all who ask the same at a time
// (CACHE_SINGLE_FLIGHT), on the loop of the first of them. Who may share an answer is in its key.
//
// Of openai routes the field `caching` is taken out of every JSON body. Requests that the cache has
// no part in go on as they are; where it could have had one, x-aifd-cache says "bypass".
class Cache final : public chain::Middleware {
 public:
  // All outlive the chain.
  Cache(const config::Settings& settings, services::CacheStore& store, services::Flights& flights,
        services::Aside& aside);
  ~Cache() override;
  std::string_view name() const noexcept override { return "cache"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  class Asking;

  Task<Result<bool>> wants_cache(chain::Exchange& exchange, const CachePlace& place) const;

  const config::Cache settings_;
  const std::uint64_t max_buffered_bytes_;
  const std::unique_ptr<const CacheRules> rules_;
  services::CacheStore& store_;
  services::Flights& flights_;
  services::Aside& aside_;
};

}  // namespace aifd::middleware
