#include "aifd/middleware/admission.hpp"

namespace aifd::middleware {

Result<chain::Verdict> Admission::decide(chain::Exchange& exchange) const {
  exchange.dialect = protocol::detect_dialect("", exchange.target.path);
  if (exchange.refused) return *exchange.refused;
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
