#include "aifd/middleware/cors.hpp"

#include <algorithm>

namespace aifd::middleware {
namespace {

constexpr protocol::FieldName kAllowOrigin = "Access-Control-Allow-Origin";
constexpr protocol::FieldName kAllowCredentials = "Access-Control-Allow-Credentials";

void mark(protocol::Fields& fields, std::string_view allowed) {
  fields.set(kAllowOrigin, allowed);
  fields.remove(kAllowCredentials);
  if (allowed != "*") fields.add("Vary", "Origin");
}

// No page of that origin may read the answer, whatever the upstream says.
void forbid(protocol::Fields& fields) {
  fields.remove(kAllowOrigin);
  fields.remove(kAllowCredentials);
  fields.add("Vary", "Origin");
}

class CorsTap final : public chain::Tap {
 public:
  explicit CorsTap(std::string_view allowed) : allowed_(allowed) {}

  void on_head(protocol::ResponseHead& head) override {
    if (allowed_.empty()) {
      forbid(head.fields);
      return;
    }
    mark(head.fields, allowed_);
    head.fields.set("Access-Control-Expose-Headers", "*");
  }

 private:
  std::string_view allowed_;
};

chain::Reply preflight_reply(chain::Exchange& exchange, std::string_view allowed) {
  chain::Reply reply;
  reply.head.status = 204;
  reply.head.reason = chain::reason_phrase(204);
  protocol::Fields& fields = reply.head.fields;
  if (allowed.empty()) {
    forbid(fields);
    return reply;
  }
  mark(fields, allowed);
  fields.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  // "*" does not cover Authorization, so what was asked for is named.
  const std::string_view asked = exchange.request.fields.get("Access-Control-Request-Headers");
  fields.add("Access-Control-Allow-Headers", asked.empty() ? "*" : asked);
  fields.add("Access-Control-Max-Age", "86400");
  return reply;
}

}  // namespace

std::string_view Cors::allowed(std::string_view origin) const noexcept {
  if (origins_.empty()) return "*";
  return std::ranges::find(origins_, origin) == origins_.end() ? std::string_view{} : origin;
}

Result<chain::Verdict> Cors::decide(chain::Exchange& exchange) const {
  const std::string_view origin = exchange.request.fields.get("Origin");
  if (origin.empty()) return chain::Verdict{chain::Pass{}};
  const std::string_view granted = allowed(origin);
  if (exchange.request.method == "OPTIONS" &&
      exchange.request.fields.contains("Access-Control-Request-Method")) {
    return chain::Verdict{preflight_reply(exchange, granted)};
  }
  exchange.add_tap(std::make_unique<CorsTap>(granted));
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
