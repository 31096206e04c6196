// Ends at once what was refused before the chain began.
#pragma once

#include "aifd/chain/middleware.hpp"
#include "aifd/services/route_table.hpp"

namespace aifd::middleware {

// Requests that are not valid HTTP come this far so that they are logged as every other.
// Settles the dialect of the errors that follow.
class Admission final : public chain::PromptMiddleware {
 public:
  // The table, which outlives the chain, tells the dialect of a path behind a prefix.
  explicit Admission(const services::RouteTable& table) : table_(table) {}
  std::string_view name() const noexcept override { return "admission"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  const services::RouteTable& table_;
};

}  // namespace aifd::middleware
