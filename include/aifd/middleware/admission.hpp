// Ends at once what was refused before the chain began.
#pragma once

#include "aifd/chain/middleware.hpp"

namespace aifd::middleware {

// Requests that are not valid HTTP come this far so that they are logged as every other.
// Settles the dialect of the errors that follow.
class Admission final : public chain::PromptMiddleware {
 public:
  std::string_view name() const noexcept override { return "admission"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;
};

}  // namespace aifd::middleware
