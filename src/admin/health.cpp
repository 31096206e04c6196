#include "aifd/admin/health.hpp"

namespace aifd::admin {

Result<chain::Verdict> Health::decide(chain::Exchange& exchange) const {
  const std::string_view path = exchange.target.path;
  const bool asked = path == "/healthz" || path == "/livez" || path == "/readyz";
  const std::string_view method = exchange.request.method;
  if (!asked || (method != "GET" && method != "HEAD")) return chain::Verdict{chain::Pass{}};
  const bool ready = path != "/readyz" || !lifecycle_.draining;
  const int status = ready ? 200 : 503;
  return chain::Verdict{chain::text_reply(exchange, status, chain::reason_phrase(status),
                                          "application/json", ready ? "\"OK\"" : "\"draining\"")};
}

}  // namespace aifd::admin
