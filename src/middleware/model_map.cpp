#include "aifd/middleware/model_map.hpp"

#include "aifd/protocol/credentials.hpp"
#include "aifd/protocol/dialect.hpp"

namespace aifd::middleware {
namespace {

using protocol::CredentialPlace;

// They belong to another server. Two keys in one place are refused, as where keys are replaced.
Result<void> drop_credentials(chain::Exchange& exchange) {
  const auto found = protocol::find_credentials(exchange.request, exchange.target.query);
  if (!found) return found.error();
  for (const protocol::Credential& credential : *found) {
    if (credential.place == CredentialPlace::query_key) {
      exchange.target.query = exchange.keep(
          protocol::with_key(exchange.request, exchange.target.query, credential, ""));
    } else {
      exchange.request.fields.remove(protocol::field_name(credential.place));
    }
  }
  exchange.request.fields.remove("Authorization");  // of whatever scheme
  return {};
}

}  // namespace

ModelMap::ModelMap(config::ModelMap map, std::uint64_t max_buffered_bytes)
    : map_(std::move(map)),
      authority_(map_.api_base.authority()),
      base_path_(map_.api_base.path),
      max_buffered_bytes_(max_buffered_bytes) {
  if (base_path_.ends_with("/v1")) base_path_.resize(base_path_.size() - 3);
}

Task<Result<chain::Verdict>> ModelMap::on_request(chain::Exchange& exchange) const {
  const bool wanted = exchange.route.openai && exchange.request.method == "POST" &&
                      exchange.route.path.starts_with("/v1/");
  if (!wanted) co_return chain::Verdict{chain::Pass{}};
  const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes_);
  if (!whole) co_return whole.error();
  if (!*whole) co_return chain::Verdict{chain::Pass{}};

  const protocol::JsonPeek* peek = exchange.body.peek();
  if (peek == nullptr || !peek->model) co_return chain::Verdict{chain::Pass{}};
  const auto mapped = map_.models.find(*peek->model);
  if (mapped == map_.models.end()) co_return chain::Verdict{chain::Pass{}};

  if (Result<void> dropped = drop_credentials(exchange); !dropped) co_return dropped.error();
  std::string literal = "\"";
  protocol::append_json_escaped(literal, mapped->second);
  literal += '"';
  exchange.body.replace(peek->model_offset, peek->model_length, literal);
  redirect(exchange);
  co_return chain::Verdict{chain::Pass{}};
}

void ModelMap::redirect(chain::Exchange& exchange) const {
  exchange.destination.server = {map_.api_base.host, map_.api_base.port, map_.api_base.tls,
                                 authority_};
  exchange.destination.base_path = base_path_;
  exchange.destination.may_upgrade = false;
}

}  // namespace aifd::middleware
