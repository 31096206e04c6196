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

std::optional<Result<Verdict>> Chain::try_run(Exchange& exchange, std::size_t& next) const {
  for (; next < links_.size(); ++next) {
    const Middleware& link = *links_[next];
    if (const PromptMiddleware* prompt = link.prompt()) {
      Result<Verdict> verdict = prompt->decide(exchange);
      if (!passes(verdict)) return verdict;
    } else {
      std::optional<Result<Verdict>> verdict = link.try_request(exchange);
      if (!verdict || !passes(*verdict)) return verdict;
    }
  }
  return Verdict{Pass{}};
}

Task<Result<Verdict>> Chain::run(Exchange& exchange, std::size_t next) const {
  for (;; ++next) {
    if (std::optional<Result<Verdict>> made = try_run(exchange, next)) co_return *std::move(made);
    Result<Verdict> verdict = co_await links_[next]->on_request(exchange);
    if (!passes(verdict)) co_return verdict;
  }
}

}  // namespace aifd::chain
