#include "api_key_taps.hpp"

#include <ctime>
#include <memory>
#include <string>

#include "aifd/protocol/retry_after.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using protocol::Credential;
using protocol::CredentialPlace;
using services::KeyRing;

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
    head.fields.change_values([this](std::string_view value) {
      const bool is_there = value.find(api_key_) != std::string_view::npos;
      return is_there ? exchange_.keep(restored(value)) : value;
    });
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

}  // namespace

void let_rest(Exchange& exchange, const KeyRing& ring, const KeyRing::ApiKey& key,
              std::chrono::milliseconds rest) {
  exchange.add_tap(std::make_unique<RestTap>(ring, key, exchange, rest));
}

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

}  // namespace aifd::middleware
