#include "aifd/middleware/forward_key.hpp"

#include "aifd/protocol/credentials.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using protocol::Credential;
using protocol::CredentialPlace;

const services::KeyRing::Known* find(const services::KeyRing& ring, const Credential& credential) {
  if (credential.place != CredentialPlace::query_key) return ring.find(credential.key);
  return ring.find(protocol::decoded_query_key(credential.key));
}

void replace(Exchange& exchange, const Credential& credential, std::string_view api_key) {
  const std::string_view changed = exchange.keep(
      protocol::with_key(exchange.request, exchange.target.query, credential, api_key));
  if (credential.place == CredentialPlace::query_key) {
    exchange.target.query = changed;
  } else {
    exchange.request.fields.set(protocol::field_name(credential.place), changed);
  }
}

// "fk-0" or "Token fk-0": no Bearer, so nothing to replace, and a forward key that would go up.
bool is_astray(const services::KeyRing& ring, std::string_view authorization) {
  const std::size_t space = authorization.rfind(' ');
  return !authorization.empty() &&
         ring.find(space == std::string_view::npos ? authorization
                                                   : authorization.substr(space + 1)) != nullptr;
}

}  // namespace

Result<chain::Verdict> ForwardKey::decide(Exchange& exchange) const {
  if (!ring_.has_forward_keys() && !required_) return chain::Verdict{chain::Pass{}};
  const Result<std::vector<Credential>> credentials =
      protocol::find_credentials(exchange.request, exchange.target.query);
  if (!credentials) return credentials.error();
  bool known_caller = false;
  for (const Credential& credential : *credentials) {
    const services::KeyRing::Known* known = find(ring_, credential);
    if (known == nullptr) continue;
    const std::string_view api_key = ring_.next_api_key(known->level);
    if (api_key.empty()) {
      return Error{ErrorKind::unauthorized, ErrorSource::aifd, false,
                   "No API key serves level " + std::to_string(known->level) +
                       "; the operator must add one to OPENAI_API_KEY_CONFIG."};
    }
    known_caller = true;
    exchange.key_alias = known->alias;
    exchange.level = known->level;
    replace(exchange, credential, api_key);
  }
  const bool astray = is_astray(ring_, exchange.request.fields.get("Authorization"));
  if (astray || (required_ && !known_caller)) {
    return Error{ErrorKind::unauthorized, ErrorSource::client, false,
                 "A valid forward key is required: send it as \"Authorization: Bearer KEY\"."};
  }
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
