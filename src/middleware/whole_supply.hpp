// Answers that are kept and called for as they are.
#pragma once

#include "aifd/chain/exchange.hpp"
#include "aifd/config/settings.hpp"
#include "cache_question.hpp"
#include "cache_supply.hpp"

namespace aifd::middleware {

class WholeSupply final : public CacheSupply {
 public:
  // All outlive it.
  WholeSupply(const config::Cache& settings, services::CacheStore& store,
              const chain::Exchange& exchange, const CachePlace& place,
              const CacheQuestion& question)
      : settings_(settings),
        store_(store),
        exchange_(exchange),
        place_(place),
        question_(question) {}

  Task<services::CacheEntryPtr> at_hand() override;
  Task<services::CacheEntryPtr> stored() override;
  services::CacheKey flight_key() const override;
  std::vector<services::CacheKey> other_flights() const override;
  services::SharedAnswer::Options recording() const override;
  void call(const std::shared_ptr<services::SharedAnswer>& answer) override;

 private:
  enum class Form : unsigned char { plain = 0, stream = 1, stream_with_usage = 2 };  // of a flight

  services::CacheKey flight_of(Form form) const;

  const config::Cache& settings_;
  services::CacheStore& store_;
  const chain::Exchange& exchange_;
  const CachePlace& place_;
  const CacheQuestion& question_;
};

}  // namespace aifd::middleware
