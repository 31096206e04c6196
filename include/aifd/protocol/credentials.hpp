// Where a caller's key can travel, and how it is taken out and put in again.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/error.hpp"
#include "aifd/base/secret.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/target.hpp"

namespace aifd::protocol {

enum class CredentialPlace {
  authorization,       // Authorization: Bearer KEY (the scheme in any case)
  x_api_key,           // x-api-key: KEY            (Anthropic)
  api_key,             // api-key: KEY              (Azure)
  x_goog_api_key,      // x-goog-api-key: KEY       (Gemini)
  query_key,           // ?key=KEY                  (Gemini)
  websocket_protocol,  // Sec-WebSocket-Protocol: ..., openai-insecure-api-key.KEY, ...
};

struct Credential {
  CredentialPlace place;
  std::string_view key;  // a view into the head
};

// At most one of each place.
class Credentials {
 public:
  static constexpr std::size_t kMost = 6;

  // Not more often than kMost times.
  void push_back(const Credential& credential) noexcept { all_[size_++] = credential; }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const Credential& operator[](std::size_t index) const noexcept { return all_[index]; }
  const Credential* begin() const noexcept { return all_.data(); }
  const Credential* end() const noexcept { return all_.data() + size_; }

 private:
  std::array<Credential, kMost> all_{};
  std::size_t size_ = 0;
};

// All credentials a request carries, in the order of the enum. An Authorization of another scheme
// than Bearer is no credential here and passes as it is; so does an empty key. Refuses
// (bad_request) a repeated Authorization, x-api-key, api-key, x-goog-api-key or ?key= (also as
// "k%65y"), and two keys in Sec-WebSocket-Protocol: which of two an upstream reads is unknown. The
// key of a query is given as it came, percent-encoding included.
Result<Credentials> find_credentials(const RequestHead& head, std::string_view query);

// Adds all that may be a secret in a request, for logs to mask, in the forms in which it could be
// repeated: of a secret field (see secret_names.hpp) its last word, its value where that is more
// than a scheme and a word, and the password of Basic; of a secret parameter its value as it came
// and decoded. Whatever find_credentials says.
void add_secrets(std::vector<Secret>& secrets, const RequestHead& head, std::string_view query);

// The key of a query as its owner knows it: SDKs percent-encode what they put there.
std::string decoded_query_key(std::string_view key);

// As with_key() puts a key into a query.
std::string encoded_query_key(std::string_view key);

// The value of the field (or the whole query) with `credential` replaced by `key` and nothing else
// changed, but that several Sec-WebSocket-Protocol fields become one list and that a query's key is
// percent-encoded. The caller keeps the text alive and sets it.
std::string with_key(const RequestHead& head, std::string_view query, const Credential& credential,
                     std::string_view key);

// The place that a field of that name is; nothing where it is none.
std::optional<CredentialPlace> credential_place(const FieldName& name) noexcept;

// The field's name of a place in a head: "authorization"; "" for query_key.
const FieldName& field_name(CredentialPlace place) noexcept;

}  // namespace aifd::protocol
