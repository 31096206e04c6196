// Serves some models from an Ollama server instead (CUSTOM_MODEL_CONFIG).
#pragma once

#include <string>

#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::middleware {

// A mapped model's request goes to the server's OpenAI-compatible API, with the model's name
// replaced in the bytes and nothing else changed. The caller's credentials stay here: they belong
// to another server.
class ModelMap final : public chain::Middleware {
 public:
  // Bodies over `max_buffered_bytes` pass unmapped.
  ModelMap(config::ModelMap map, std::uint64_t max_buffered_bytes);
  std::string_view name() const noexcept override { return "model_map"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;

 private:
  void redirect(chain::Exchange& exchange) const;

  config::ModelMap map_;
  std::string authority_;
  std::string base_path_;  // without a final /v1, which the request's path has
  std::uint64_t max_buffered_bytes_;
};

}  // namespace aifd::middleware
