// What becomes of an answer whose client leaves, by route (CLIENT_GONE).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::middleware {

// Sets the bounds within which the rest of the answer is read. Of the routes that cover a path on
// whole segments the longest counts.
class ClientGone final : public chain::PromptMiddleware {
 public:
  explicit ClientGone(const std::map<std::string, config::ClientGone>& policies);
  std::string_view name() const noexcept override { return "client_gone"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  struct Rule {
    std::string path;
    chain::DrainBounds bounds;
  };

  std::vector<Rule> rules_;  // longest path first
};

}  // namespace aifd::middleware
