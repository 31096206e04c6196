// What an answer says of the API key that went up.
#pragma once

#include <chrono>
#include <string_view>

#include "aifd/chain/exchange.hpp"
#include "aifd/protocol/credentials.hpp"
#include "aifd/services/key_ring.hpp"

namespace aifd::middleware {

// The key rests where the upstream refuses it, for as long as the answer says or else for `rest`.
// The ring outlives the exchange.
void let_rest(chain::Exchange& exchange, const services::KeyRing& ring,
              const services::KeyRing::ApiKey& key, std::chrono::milliseconds rest);

// Where the credential stood in a place that heads of answers repeat, its caller gets back the key
// that it sent.
void hide_echoes(chain::Exchange& exchange, const protocol::Credential& credential,
                 std::string_view api_key);

}  // namespace aifd::middleware
