#include "aifd/middleware/admission.hpp"

namespace aifd::middleware {

Task<Result<chain::Verdict>> Admission::on_request(chain::Exchange& exchange) const {
  exchange.dialect = protocol::detect_dialect("", exchange.target.path);
  if (exchange.refused) co_return *exchange.refused;
  co_return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
