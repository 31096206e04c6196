// Lets pages of other origins call: browser clients need it, and cookies never travel.
#pragma once

#include <string>
#include <vector>

#include "aifd/chain/middleware.hpp"

namespace aifd::middleware {

// Answers preflights and marks answers, by the Fetch standard, section 3.2 (CORS protocol). Without
// credentials, so any origin may be allowed; an upstream's own CORS fields give way to these.
class Cors final : public chain::PromptMiddleware {
 public:
  // The origins allowed ("https://chat.example"); empty: any.
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}
  std::string_view name() const noexcept override { return "cors"; }
  Result<chain::Verdict> decide(chain::Exchange& exchange) const override;

 private:
  // What Access-Control-Allow-Origin says to that origin; empty: it is not allowed.
  std::string_view allowed(std::string_view origin) const noexcept;

  std::vector<std::string> origins_;
};

}  // namespace aifd::middleware
