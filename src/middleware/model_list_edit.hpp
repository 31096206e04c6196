// Leaves out of a provider's list of models what its caller may not use.
#pragma once

#include "aifd/chain/reply.hpp"
#include "aifd/middleware/allowed_models.hpp"

namespace aifd::middleware {

class ModelListEdit final : public chain::ReplyEdit {
 public:
  // `allowed` outlives the exchange.
  explicit ModelListEdit(const AllowedModels& allowed) : allowed_(allowed) {}

  // A list that cannot be read is answered with an error, never passed on as it is.
  Task<Result<chain::Reply>> edit(chain::Exchange& exchange, chain::Reply reply) override;

 private:
  const AllowedModels& allowed_;
};

}  // namespace aifd::middleware
