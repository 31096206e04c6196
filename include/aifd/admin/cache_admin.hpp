// The answer cache, for the operator: the only link of the chain behind the admin socket.
#pragma once

#include "aifd/admin/cache_report.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::admin {

// Answers everything, so that nothing goes upstream:
//   GET /cache         what is in the cache, in JSON; with ?as=table for people
//   DELETE /cache      clears it
//   GET /cache/<key>   one answer, as an HTTP message; the key as 64 hex digits
// Other answers are lines of text: 404, 405, and 503 where the store cannot be used.
class CacheAdmin final : public chain::Middleware {
 public:
  // The store outlives the chain.
  CacheAdmin(services::CacheStore& store, CacheFacts facts)
      : store_(store), facts_(std::move(facts)) {}
  std::string_view name() const noexcept override { return "cache_admin"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  Task<CacheReport> report(const chain::Exchange& exchange) const;
  Task<CacheReport> report_all(const chain::Exchange& exchange) const;

  services::CacheStore& store_;
  const CacheFacts facts_;
};

}  // namespace aifd::admin
