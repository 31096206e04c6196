#include "aifd/protocol/credentials.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "aifd/protocol/secret_names.hpp"
#include "base64.hpp"
#include "chars.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::size_t kPlaces = Credentials::kMost;
constexpr std::string_view kWebsocketKeyPrefix = "openai-insecure-api-key.";

constexpr std::size_t index_of(CredentialPlace place) noexcept {
  return static_cast<std::size_t>(place);
}

constexpr std::array<FieldName, kPlaces> kFieldNames{
    "authorization", "x-api-key", "api-key", "x-goog-api-key", "", "sec-websocket-protocol"};

constexpr NameSet kPlaceNames = NameSet::of_all([](std::string_view name) {
  return std::ranges::any_of(kFieldNames,
                             [name](const FieldName& place) { return place.text() == name; });
});

// What was found in one place; a place that is there but holds no key counts as used too.
struct Found {
  bool is_used = false;
  std::string_view key;
};

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t';
}

// "KEY" of "Bearer KEY"; "" where the scheme is another.
std::string_view bearer_key(std::string_view value) noexcept {
  constexpr std::string_view kScheme = "bearer";
  if (!istarts_with(value, kScheme)) return {};
  value.remove_prefix(kScheme.size());
  if (value.empty() || !is_space(value.front())) return {};
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  return value;
}

Error repeated(std::string_view what) {
  return Error{ErrorKind::bad_request, ErrorSource::client, false,
               "The request has two " + std::string(what) + "; send exactly one."};
}

// A list that may stand in several fields, of which only the key's token may not be repeated.
std::optional<Error> find_in_websocket(std::string_view list, Found& found) {
  bool is_repeated = false;
  for_each_token(list, [&](std::string_view token) {
    if (!istarts_with(token, kWebsocketKeyPrefix)) return;
    is_repeated = is_repeated || found.is_used;
    found = {true, token.substr(kWebsocketKeyPrefix.size())};
  });
  if (is_repeated) return repeated("keys in Sec-WebSocket-Protocol");
  return std::nullopt;
}

std::optional<Error> find_in_fields(const Fields& fields, std::array<Found, kPlaces>& found) {
  for (const Field& field : fields) {
    const auto place = credential_place(field.name);
    if (!place) continue;
    Found& here = found[index_of(*place)];
    if (*place == CredentialPlace::websocket_protocol) {
      if (auto error = find_in_websocket(field.value, here)) return error;
      continue;
    }
    if (here.is_used) return repeated(std::string(field_name(*place).text()) + " fields");
    here.is_used = true;
    here.key = *place == CredentialPlace::authorization ? bearer_key(field.value) : field.value;
  }
  return std::nullopt;
}

// A name that is percent-encoded counts, since the upstream decodes it.
std::optional<Error> find_in_query(std::string_view query, Found& found) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(0, equals);
    if (name != "key" && (name.find('%') == std::string_view::npos || name.size() > 9 ||
                          percent_decode(name) != "key")) {
      continue;
    }
    if (found.is_used) return repeated("\"key\" parameters in its query");
    found = {true, pair.substr(std::min(equals + 1, pair.size()))};
  }
  return std::nullopt;
}

void add_secrets_of_field(std::vector<Secret>& secrets, std::string_view value) {
  const std::string_view word = last_word(value);
  if (value.empty()) return;
  secrets.emplace_back(std::string(word));
  if (word.size() == value.size()) return;
  const std::string_view scheme = value.substr(0, value.size() - word.size() - 1);
  const bool is_scheme_and_word = last_word(scheme).size() == scheme.size();
  if (!is_scheme_and_word) secrets.emplace_back(std::string(value));
  if (!istarts_with(value, "basic")) return;
  const std::optional<std::string> pair = decode_base64(word);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon != std::string::npos) secrets.emplace_back(pair->substr(colon + 1));
}

void append_replaced(std::string& out, std::string_view text, std::string_view part,
                     std::string_view by) {
  const auto at = static_cast<std::size_t>(part.data() - text.data());
  out.reserve(out.size() + text.size() - part.size() + by.size());
  out.append(text.substr(0, at)).append(by).append(text.substr(at + part.size()));
}

bool lies_in(std::string_view part, std::string_view text) noexcept {
  const std::less_equal<const char*> before;
  return before(text.data(), part.data()) &&
         before(part.data() + part.size(), text.data() + text.size());
}

}  // namespace

std::optional<CredentialPlace> credential_place(const FieldName& name) noexcept {
  if (!kPlaceNames.has(name.id())) return std::nullopt;
  const auto found = std::ranges::find(kFieldNames, name);
  return static_cast<CredentialPlace>(found - kFieldNames.begin());
}

Result<Credentials> find_credentials(const RequestHead& head, std::string_view query) {
  std::array<Found, kPlaces> found;
  if (auto error = find_in_fields(head.fields, found)) return *std::move(error);
  if (auto error = find_in_query(query, found[index_of(CredentialPlace::query_key)])) {
    return *std::move(error);
  }
  Credentials credentials;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    if (!found[i].key.empty()) {
      credentials.push_back({static_cast<CredentialPlace>(i), found[i].key});
    }
  }
  return credentials;
}

void add_secrets(std::vector<Secret>& secrets, const RequestHead& head, std::string_view query) {
  for (const Field& field : head.fields) {
    if (is_secret_field(field.name)) add_secrets_of_field(secrets, field.value);
  }
  while (!query.empty()) {
    const std::size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (value.empty() || !is_secret_parameter(pair.substr(0, equals))) continue;
    secrets.emplace_back(std::string(value));
    if (value.find('%') != std::string_view::npos) secrets.emplace_back(percent_decode(value));
  }
}

std::string decoded_query_key(std::string_view key) {
  return percent_decode(key);
}

std::string encoded_query_key(std::string_view key) {
  return percent_encode(key);
}

std::string with_key(const RequestHead& head, std::string_view query, const Credential& credential,
                     std::string_view key) {
  std::string value;
  if (credential.place == CredentialPlace::query_key) {
    append_replaced(value, query, credential.key, encoded_query_key(key));
    return value;
  }
  // A list over several fields becomes one, since the caller sets one (RFC 9110, 5.3).
  for (const Field& field : head.fields) {
    if (field.name != field_name(credential.place)) continue;
    if (!value.empty()) value += ", ";
    if (lies_in(credential.key, field.value)) {
      append_replaced(value, field.value, credential.key, key);
    } else {
      value += field.value;
    }
  }
  return value;
}

const FieldName& field_name(CredentialPlace place) noexcept {
  return kFieldNames[index_of(place)];
}

}  // namespace aifd::protocol
