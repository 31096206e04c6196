#include "aifd/middleware/forward_key.hpp"

#include <algorithm>
#include <ctime>

#include "aifd/protocol/retry_after.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using protocol::Credential;
using protocol::CredentialPlace;
using services::KeyRing;

KeyRing::Digest digest_of(const Credential& credential) {
  if (credential.place != CredentialPlace::query_key) return KeyRing::digest_of(credential.key);
  return KeyRing::digest_of(protocol::decoded_query_key(credential.key));
}

chain::CallerId caller_of(const KeyRing::Digest& digest) {
  chain::CallerId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

Error unauthorized(ErrorSource source, std::string detail) {
  return {ErrorKind::unauthorized, source, false, std::move(detail)};
}

// "fk-0" or "Token fk-0", no Bearer; or an x-api-key that holds "Bearer fk-0": nothing to replace,
// and a forward key that would go up.
bool is_astray(const KeyRing& ring, const protocol::Fields& fields) {
  for (const CredentialPlace place : {CredentialPlace::authorization, CredentialPlace::x_api_key,
                                      CredentialPlace::api_key, CredentialPlace::x_goog_api_key}) {
    const std::string_view value = fields.get(protocol::field_name(place));
    const std::size_t space = value.find_last_of(" \t");
    const std::string_view word = space == std::string_view::npos ? value : value.substr(space + 1);
    if (!word.empty() && ring.find(word) != nullptr) return true;
  }
  return false;
}

// Lets an API key rest that the upstream refused.
class RestTap final : public chain::Tap {
 public:
  RestTap(const KeyRing& ring, const KeyRing::ApiKey& key, const Exchange& exchange,
          std::chrono::milliseconds rest)
      : ring_(ring),
        key_(key.number),
        upstream_(exchange.destination.server.authority),
        exchange_(exchange),
        rest_(rest) {}

  void on_head(protocol::ResponseHead& head) override {
    const bool refused = head.status == 401 || head.status == 429;
    const bool by_upstream = exchange_.progress.head_received != Clock::time_point{} &&
                             exchange_.destination.server.authority == upstream_;
    if (!refused || !by_upstream) return;
    ring_.rest(key_, upstream_, head.status,
               protocol::retry_after(head.fields, std::time(nullptr)).value_or(rest_),
               Clock::now());
  }

 private:
  const KeyRing& ring_;
  std::size_t key_;
  std::string_view upstream_;
  const Exchange& exchange_;
  std::chrono::milliseconds rest_;
};

// The head of an answer can repeat what went up: a redirect or an upload's URL the query, a 101 the
// subprotocols. The caller gets back the key that it sent.
class EchoTap final : public chain::Tap {
 public:
  EchoTap(Exchange& exchange, std::string api_key, std::string forward_key)
      : exchange_(exchange), api_key_(std::move(api_key)), forward_key_(std::move(forward_key)) {}

  void on_head(protocol::ResponseHead& head) override {
    for (protocol::Field& field : head.fields) {
      if (field.value.find(api_key_) != std::string_view::npos) {
        field.value = exchange_.keep(restored(field.value));
      }
    }
  }

 private:
  std::string restored(std::string_view value) const {
    std::string text;
    for (std::size_t at = 0; (at = value.find(api_key_)) != std::string_view::npos;) {
      text.append(value.substr(0, at)).append(forward_key_);
      value.remove_prefix(at + api_key_.size());
    }
    return text.append(value);
  }

  Exchange& exchange_;
  std::string api_key_;
  std::string forward_key_;
};

// Of a key in a place that answers repeat.
void hide_echoes(Exchange& exchange, const Credential& credential, std::string_view api_key) {
  constexpr std::size_t kShortest = 8;  // less is a stand-in for none, and stands in other words
  if (api_key.size() < kShortest) return;
  const auto hide = [&](std::string sent, std::string_view instead) {
    exchange.add_tap(std::make_unique<EchoTap>(exchange, std::move(sent), std::string(instead)));
  };
  if (credential.place == CredentialPlace::websocket_protocol)
    hide(std::string(api_key), credential.key);
  if (credential.place != CredentialPlace::query_key) return;
  hide(std::string(api_key), credential.key);
  std::string encoded = protocol::encoded_query_key(api_key);
  if (encoded != api_key) hide(std::move(encoded), credential.key);
}

}  // namespace

// Who brings several keys of which none is known here could send another decoy with every request:
// such a caller is known by the address.
Result<ForwardKey::Caller> ForwardKey::recognise(const Exchange& exchange) const {
  Result<std::vector<Credential>> credentials =
      protocol::find_credentials(exchange.request, exchange.target.query);
  if (!credentials) return credentials.error();
  Caller caller;
  caller.id = exchange.client.address.bytes;
  bool several = false;
  std::optional<KeyRing::Digest> first;
  for (const Credential& credential : *credentials) {
    const KeyRing::Digest digest = digest_of(credential);
    several = several || (first && *first != digest);
    if (!first) first = digest;
    const KeyRing::Known* known = ring_.find(digest);
    caller.has_unknown_key = caller.has_unknown_key || known == nullptr;
    if (known == nullptr) continue;
    if (caller.known != nullptr && caller.known != known) {
      return Error{ErrorKind::bad_request, ErrorSource::client, false,
                   "The request has two different forward keys; send exactly one."};
    }
    caller.known = known;
    caller.forward_keys.push_back(credential);
  }
  if (caller.known != nullptr) {
    caller.id = caller_of(caller.known->digest);
  } else if (first && !several) {
    caller.id = caller_of(*first);
  }
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
  for (const Credential& credential : caller.forward_keys) {
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
    exchange.add_tap(std::make_unique<RestTap>(ring_, api_key, exchange, options_.rest));
  }
  return {};
}

Result<chain::Verdict> ForwardKey::decide(Exchange& exchange) const {
  const bool idle = !ring_.has_forward_keys() && !options_.required && !options_.tell_callers;
  if (idle) return chain::Verdict{chain::Pass{}};
  const Result<Caller> caller = recognise(exchange);
  if (!caller) return caller.error();
  exchange.caller = caller->id;
  if (caller->known != nullptr) {
    exchange.key_alias = caller->known->alias;
    exchange.level = caller->known->level;
    if (Result<void> replaced = replace(exchange, *caller); !replaced) return replaced.error();
  }
  const bool astray = is_astray(ring_, exchange.request.fields);
  if (astray || (options_.required && caller->known == nullptr)) {
    return unauthorized(
        ErrorSource::client,
        "A valid forward key is required: send it as \"Authorization: Bearer KEY\".");
  }
  return chain::Verdict{chain::Pass{}};
}

}  // namespace aifd::middleware
