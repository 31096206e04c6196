#include "aifd/middleware/client_gone.hpp"

#include <algorithm>

#include "aifd/protocol/target.hpp"

namespace aifd::middleware {

ClientGone::ClientGone(const std::map<std::string, config::ClientGone>& policies) {
  for (const auto& [path, policy] : policies) {
    rules_.push_back({path, policy.drains ? chain::DrainBounds{policy.most_time, policy.most_bytes}
                                          : chain::DrainBounds{}});
  }
  std::ranges::stable_sort(
      rules_, [](const Rule& a, const Rule& b) { return a.path.size() > b.path.size(); });
}

Result<chain::Verdict> ClientGone::decide(chain::Exchange& exchange) const {
  const auto rule = std::ranges::find_if(
      rules_, [&](const Rule& r) { return protocol::covers(r.path, exchange.target.path); });
  if (rule != rules_.end()) exchange.drain = rule->bounds;
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
