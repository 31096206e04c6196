#include "aifd/net/detached_calls.hpp"

#include <boost/asio/co_spawn.hpp>

#include "aifd/base/log.hpp"
#include "aifd/chain/faults.hpp"
#include "aifd/net/upstream_exchange.hpp"

namespace aifd::net {
namespace {

Task<Result<void>> pass_on(chain::Exchange& exchange, chain::Reply& reply,
                           chain::AnswerSink& sink) {
  sink.head(reply.head, reply.framing, exchange.progress);
  while (reply.body) {
    std::optional<Result<chain::Piece>> here = reply.body->try_next();
    if (!here) here = co_await reply.body->next();
    const Result<chain::Piece>& piece = *here;
    if (!piece) co_return piece.error();
    exchange.progress.bytes_out += piece->bytes.size();
    const bool has_room = piece->bytes.empty() || sink.piece(piece->bytes);
    if (piece->last) break;
    if (has_room) continue;
    if (Result<void> room = co_await sink.wait_for_room(); !room) co_return room;
  }
  co_return Result<void>{};
}

}  // namespace

DetachedCalls::DetachedCalls(asio::io_context& loop, UpstreamPool& pool,
                             const config::Timeouts& timeouts, std::function<void()> on_empty)
    : loop_(loop), pool_(pool), timeouts_(timeouts), on_empty_(std::move(on_empty)) {}

void DetachedCalls::start(std::unique_ptr<chain::DetachedExchange> exchange,
                          std::shared_ptr<chain::AnswerSink> sink) {
  const auto place = calls_.insert(calls_.end(), {std::move(exchange), std::move(sink)});
  chain::Exchange& begun = **place->exchange;
  place->sink->begin(loop_.get_executor(), begun.stopper, begun.progress);
  asio::co_spawn(loop_, run(*place), [this, place](const std::exception_ptr& thrown) {
    if (thrown) log::error("a call failed inside aifd as it ended");
    calls_.erase(place);
    if (calls_.empty()) on_empty_();
  });
}

Task<void> DetachedCalls::run(Call& call) {
  Result<void> result;
  try {
    result = co_await forward(call);
  } catch (const std::exception& fault) {
    log::error("a call failed inside aifd: {}", fault.what());
    result = chain::failed_here();
  }
  call.sink->end(result, (*call.exchange)->progress);
  co_await call.sink->settle();
}

Task<Result<void>> DetachedCalls::forward(Call& call) {
  chain::Exchange& exchange = **call.exchange;
  UpstreamExchange upstream(exchange, pool_, loop_.get_executor(), timeouts_, [] {});
  Result<chain::Reply> reply = co_await upstream.send();
  Result<void> result;
  if (reply) {
    result = co_await pass_on(exchange, *reply, *call.sink);
  } else {
    result = reply.error();
  }
  if (upstream.uploading()) co_await upstream.end_upload();
  upstream.finish();
  co_return result;
}

void DetachedCalls::abort() noexcept {
  for (const Call& call : calls_) (*call.exchange)->stopper.stop(chain::cut_by_shutdown());
}

}  // namespace aifd::net
