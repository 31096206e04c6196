#include "aifd/middleware/forward_key.hpp"

#include <algorithm>

#include "api_key_taps.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using protocol::Credential;
using protocol::CredentialPlace;
using services::KeyRing;

KeyRing::Caller identify(const KeyRing& ring, const Credential& credential) {
  if (credential.place != CredentialPlace::query_key) return ring.identify(credential.key);
  return ring.identify(protocol::decoded_query_key(credential.key));
}

chain::CallerId caller_of(const KeyRing::Digest& digest) {
  chain::CallerId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

chain::Identity identity_of(bool has_forward_key, bool has_unknown_key, bool several) {
  if (!has_forward_key && !has_unknown_key) return chain::Identity::anonymous;
  if (has_forward_key) {
    return has_unknown_key ? chain::Identity::mixed : chain::Identity::forward_key;
  }
  return several ? chain::Identity::mixed : chain::Identity::key;
}

Error unauthorized(ErrorSource source, std::string detail) {
  return {ErrorKind::unauthorized, source, false, std::move(detail)};
}

// "fk-0" or "Token fk-0", no Bearer; or an x-api-key that holds "Bearer fk-0": no credential, so
// nothing to replace, and a forward key that would go up.
bool is_astray(const KeyRing& ring, const protocol::Fields& fields,
               const protocol::Credentials& credentials) {
  for (const protocol::Field& field : fields) {
    const std::optional<CredentialPlace> place = protocol::credential_place(field.name);
    if (!place || *place == CredentialPlace::websocket_protocol) continue;
    const std::string_view word = protocol::last_word(field.value);
    const bool is_credential =
        std::ranges::any_of(credentials, [word](const Credential& credential) {
          return credential.key.data() == word.data() && credential.key.size() == word.size();
        });
    if (!word.empty() && !is_credential && ring.is_forward_key(word)) return true;
  }
  return false;
}

}  // namespace

// Who brings several keys of which none is known here could send another decoy with every request:
// such a caller is known by the address.
Result<ForwardKey::Caller> ForwardKey::recognise(const Exchange& exchange) const {
  Result<protocol::Credentials> credentials =
      protocol::find_credentials(exchange.request, exchange.target.query);
  if (!credentials) return credentials.error();
  Caller caller;
  caller.id = exchange.client.address.bytes;
  caller.is_astray = is_astray(ring_, exchange.request.fields, *credentials);
  bool several = false;
  std::optional<KeyRing::Digest> first;
  for (const Credential& credential : *credentials) {
    const auto [known, digest] = identify(ring_, credential);
    several = several || (first && *first != digest);
    if (!first) first = digest;
    caller.has_unknown_key = caller.has_unknown_key || known == nullptr;
    if (known == nullptr) continue;
    if (caller.known != nullptr && caller.known != known) {
      return Error{ErrorKind::bad_request, ErrorSource::client, false,
                   "The request has two different forward keys; send exactly one."};
    }
    caller.known = known;
    caller.id = caller_of(digest);
    caller.forward_keys.push_back(credential);
  }
  if (caller.known == nullptr && first && !several) caller.id = caller_of(*first);
  caller.identity = identity_of(caller.known != nullptr, caller.has_unknown_key, several);
  return caller;
}

Result<void> ForwardKey::replace(Exchange& exchange, const Caller& caller) const {
  const int level = caller.known->level;
  const KeyRing::ApiKey api_key =
      ring_.next_api_key(level, exchange.destination.server.authority, Clock::now());
  if (api_key.text.empty()) {
    return unauthorized(ErrorSource::aifd, "No API key serves level " + std::to_string(level) +
                                               "; the operator must add one to "
                                               "OPENAI_API_KEY_CONFIG.");
  }
  exchange.secrets.push_back(api_key.text);
  for (const Credential& credential : caller.forward_keys) {
    exchange.secrets.push_back(credential.key);
    hide_echoes(exchange, credential, api_key.text);
    const std::string_view changed = exchange.keep(
        protocol::with_key(exchange.request, exchange.target.query, credential, api_key.text));
    if (credential.place == CredentialPlace::query_key) {
      exchange.target.query = changed;
    } else {
      exchange.request.fields.set(protocol::field_name(credential.place), changed);
    }
  }
  if (!api_key.alone && !caller.has_unknown_key) {
    let_rest(exchange, ring_, api_key, options_.rest);
  }
  return {};
}

Result<chain::Verdict> ForwardKey::decide(Exchange& exchange) const {
  const bool idle = !ring_.has_forward_keys() && !options_.required && !options_.tell_callers;
  if (idle) return chain::Verdict{chain::Pass{}};
  const Result<Caller> caller = recognise(exchange);
  if (!caller) return caller.error();
  exchange.caller = caller->id;
  exchange.identity = caller->identity;
  if (caller->is_astray || (options_.required && caller->known == nullptr)) {
    return unauthorized(
        ErrorSource::client,
        "A valid forward key is required: send it as \"Authorization: Bearer KEY\".");
  }
  if (caller->known != nullptr) {
    exchange.key_alias = caller->known->alias;
    exchange.level = caller->known->level;
    if (Result<void> replaced = replace(exchange, *caller); !replaced) return replaced.error();
  }
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
