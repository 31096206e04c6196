// Puts an API key in the place of a forward key, and tells callers apart.
#pragma once

#include <chrono>

#include "aifd/chain/middleware.hpp"
#include "aifd/protocol/credentials.hpp"
#include "aifd/services/key_ring.hpp"

namespace aifd::middleware {

// Wherever the caller's key travels. A key that is no forward key passes through unchanged. An API
// key that the upstream answers with 401 or 429 rests there, and the level's others take its turns
// for the requests that follow; what has been sent is not sent again.
class ForwardKey final : public chain::PromptMiddleware {
 public:
  struct Options {
    bool required = false;                   // who brings no forward key is refused (401)
    bool tell_callers = false;               // something asks for Exchange::caller or identity
    std::chrono::milliseconds rest{60'000};  // where the upstream's answer says none
  };

  // The ring outlives the chain.
  ForwardKey(const services::KeyRing& ring, Options options) : ring_(ring), options_(options) {}
  std::string_view name() const noexcept override { return "forward_key"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  struct Caller {
    const services::KeyRing::Known* known = nullptr;  // null: brings no forward key
    protocol::Credentials forward_keys;               // the places of it
    bool is_astray = false;        // a forward key stands where it is none, and would go up
    bool has_unknown_key = false;  // perhaps that is what the upstream refuses: nothing rests
    chain::CallerId id{};
    chain::Identity identity = chain::Identity::anonymous;
  };

  Result<Caller> recognise(const chain::Exchange& exchange) const;
  Result<void> replace(chain::Exchange& exchange, const Caller& caller) const;

  const services::KeyRing& ring_;
  Options options_;
};

}  // namespace aifd::middleware
