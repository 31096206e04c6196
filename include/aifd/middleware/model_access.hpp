// Which models a caller may use, by its level (LEVEL_MODELS).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aifd/chain/middleware.hpp"
#include "aifd/middleware/allowed_models.hpp"

namespace aifd::middleware {

// Callers of level 0, and of a level that may use all ("*"), pass at once. Of the others' requests
// every model named anywhere must be allowed; where none can be read and one may be used all the
// same, the request is refused (model_denied), since an upstream may have a model of its own for
// it. Their lists of models show what they may use. Behind forward_key, which sets the level.
class ModelAccess final : public chain::Middleware {
 public:
  // `level_models`: the names or globs that each level may use; a level that is not listed may use
  // none, unless it is 0 or the map is empty. Bodies over `max_buffered_bytes` are refused
  // (body_too_large), as they are not read.
  ModelAccess(const std::map<int, std::vector<std::string>>& level_models,
              std::uint64_t max_buffered_bytes);
  std::string_view name() const noexcept override { return "model_access"; }
  Task<Result<chain::Verdict>> on_request(chain::Exchange& exchange) const override;
  std::optional<Result<chain::Verdict>> try_request(chain::Exchange& exchange) const override;

 private:
  // null: all models.
  const AllowedModels* limit_of(const chain::Exchange& exchange) const noexcept;

  std::map<int, AllowedModels> levels_;
  AllowedModels none_;
  std::uint64_t max_buffered_bytes_;
};

}  // namespace aifd::middleware
