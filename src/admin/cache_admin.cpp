#include "aifd/admin/cache_admin.hpp"

#include "aifd/base/log.hpp"

namespace aifd::admin {
namespace {

constexpr std::string_view kAll = "/cache";
constexpr std::string_view kOne = "/cache/";

CacheReport not_allowed(std::string_view methods) {
  return {405, "text/plain", "only " + std::string(methods) + " here\n"};
}

}  // namespace

Task<Result<chain::Verdict>> CacheAdmin::on_request(chain::Exchange& exchange) const {
  if (exchange.refused) co_return *exchange.refused;
  CacheReport made = co_await report(exchange);
  co_return chain::Verdict{chain::text_reply(exchange, made.status,
                                             chain::reason_phrase(made.status), made.content_type,
                                             std::move(made.text))};
}

Task<CacheReport> CacheAdmin::report(const chain::Exchange& exchange) const {
  const std::string_view path = exchange.target.path;
  if (path == kAll) co_return co_await report_all(exchange);
  if (!path.starts_with(kOne)) co_return CacheReport{404, "text/plain", "there is only /cache\n"};
  if (exchange.request.method != "GET") co_return not_allowed("GET");
  const std::optional<services::CacheKey> key = parse_cache_key(path.substr(kOne.size()));
  if (!key) co_return CacheReport{404, "text/plain", "a key has 64 hex digits\n"};
  co_return report_entry(store_, facts_, co_await store_.get(*key));
}

Task<CacheReport> CacheAdmin::report_all(const chain::Exchange& exchange) const {
  const std::string_view method = exchange.request.method;
  if (method == "GET") {
    const bool table = protocol::query_parameter(exchange.target.query, "as") == "table";
    co_return report_stat(co_await store_.measure(), facts_, !table);
  }
  if (method != "DELETE") co_return not_allowed("GET and DELETE");
  CacheReport made = report_clearing(co_await store_.clear_and_tell(), facts_);
  log::info("asked over the admin socket to clear the cache: {}",
            std::string_view(made.text).substr(0, made.text.find('\n')));
  co_return made;
}

}  // namespace aifd::admin
