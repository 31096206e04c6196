// Whether aifd lives and serves, for those who watch it.
#pragma once

#include "aifd/base/lifecycle.hpp"
#include "aifd/chain/middleware.hpp"

namespace aifd::admin {

// GET and HEAD of /healthz and /livez: 200 while the process runs. /readyz: 503 once it drains.
// Upstreams are never asked.
class Health final : public chain::PromptMiddleware {
 public:
  // The lifecycle outlives the chain.
  explicit Health(const Lifecycle& lifecycle) : lifecycle_(lifecycle) {}
  std::string_view name() const noexcept override { return "health"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  const Lifecycle& lifecycle_;
};

}  // namespace aifd::admin
