// A model that answers from memory, for measuring and for trying aifd without an account.
#pragma once

#include <chrono>
#include <string>

#include "aifd/chain/middleware.hpp"

namespace aifd::middleware {

// Serves POST /benchmark/v1/chat/completions, with and without stream, and
// GET /benchmark/v1/models, in OpenAI's shapes.
class Benchmark final : public chain::Middleware {
 public:
  struct Options {
    std::chrono::nanoseconds token_interval{};  // between two streamed tokens; zero: all at once
    std::uint64_t max_buffered_bytes = 0;
  };

  explicit Benchmark(Options options) : options_(options) {}
  std::string_view name() const noexcept override { return "benchmark"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  Task<Result<chain::Verdict>> complete(chain::Exchange& exchange) const;

  Options options_;
};

}  // namespace aifd::middleware
