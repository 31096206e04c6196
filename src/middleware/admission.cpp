#include "aifd/middleware/admission.hpp"

namespace aifd::middleware {

Result<chain::Verdict> Admission::decide(chain::Exchange& exchange) const {
  const std::string_view path = exchange.target.path;
  const services::RouteTable::Entry* entry = table_.find(path);
  const std::string_view prefix = entry == nullptr ? "/" : std::string_view(entry->route.prefix);
  exchange.dialect =
      protocol::detect_dialect(prefix, services::RouteTable::path_after(prefix, path));
  if (exchange.refused) return *exchange.refused;
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
