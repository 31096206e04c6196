#include "aifd/chain/middleware.hpp"

namespace aifd::chain {
namespace {

bool passes(const Result<Verdict>& verdict) {
  return verdict && std::holds_alternative<Pass>(*verdict);
}

}  // namespace

Task<Result<Verdict>> PromptMiddleware::on_request(Exchange& exchange) const {
  co_return decide(exchange);
}

Task<Result<Verdict>> Chain::run(Exchange& exchange) const {
  for (const auto& link : links_) {
    if (const PromptMiddleware* prompt = link->prompt()) {
      Result<Verdict> verdict = prompt->decide(exchange);
      if (!passes(verdict)) co_return verdict;
    } else {
      Result<Verdict> verdict = co_await link->on_request(exchange);
      if (!passes(verdict)) co_return verdict;
    }
  }
  co_return Verdict{Pass{}};
}

}  // namespace aifd::chain
