// The calls of one loop that no client's session makes.
#pragma once

#include <functional>
#include <list>

#include "aifd/chain/upstream_calls.hpp"
#include "aifd/config/settings.hpp"
#include "aifd/net/upstream_pool.hpp"

namespace aifd::net {

// On its loop's thread. Lives until empty().
class DetachedCalls final : public chain::UpstreamCalls {
 public:
  // `on_empty` is called each time when the last of them has ended.
  DetachedCalls(asio::io_context& loop, UpstreamPool& pool, const config::Timeouts& timeouts,
                std::function<void()> on_empty);

  void start(std::unique_ptr<chain::DetachedExchange> exchange,
             std::shared_ptr<chain::AnswerSink> sink) override;

  bool empty() const noexcept { return calls_.empty(); }
  // Ends all of them now.
  void abort() noexcept;

 private:
  struct Call {
    std::unique_ptr<chain::DetachedExchange> exchange;
    std::shared_ptr<chain::AnswerSink> sink;
  };

  Task<void> run(Call& call);
  Task<Result<void>> forward(Call& call);

  asio::io_context& loop_;
  UpstreamPool& pool_;
  const config::Timeouts& timeouts_;
  std::function<void()> on_empty_;
  std::list<Call> calls_;
};

}  // namespace aifd::net
