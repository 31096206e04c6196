// A model that answers from memory, for measuring and for trying aifd without an account.
#pragma once

#include <cstdint>
#include <string_view>

#include "aifd/chain/middleware.hpp"

namespace aifd::middleware {

// In an upstream's place: answers what `route` found to be under /benchmark and passes all else.
// Serves POST /benchmark/v1/chat/completions, with and without stream, and
// GET /benchmark/v1/models, in OpenAI's shapes.
class Benchmark final : public chain::Middleware {
 public:
  static constexpr std::string_view kPrefix = "/benchmark";

  // Larger bodies are refused.
  explicit Benchmark(std::uint64_t max_buffered_bytes) : max_buffered_bytes_(max_buffered_bytes) {}
  std::string_view name() const noexcept override { return "benchmark"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  Task<Result<chain::Verdict>> complete(chain::Exchange& exchange) const;

  std::uint64_t max_buffered_bytes_;
};

}  // namespace aifd::middleware
