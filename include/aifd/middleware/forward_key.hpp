// Puts an API key in the place of a forward key.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/services/key_ring.hpp"

namespace aifd::middleware {

// Wherever the caller's key travels. A key that is no forward key passes through unchanged.
class ForwardKey final : public chain::PromptMiddleware {
 public:
  // The ring outlives the chain. `required`: who brings no forward key is refused (401).
  ForwardKey(const services::KeyRing& ring, bool required) : ring_(ring), required_(required) {}
  std::string_view name() const noexcept override { return "forward_key"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  const services::KeyRing& ring_;
  bool required_;
};

}  // namespace aifd::middleware
