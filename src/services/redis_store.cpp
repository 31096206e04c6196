#include "aifd/services/redis_store.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "aifd/services/redis_connection.hpp"
#include "redis_answers.hpp"
#include "redis_sweep.hpp"
#include "redis_writer.hpp"

namespace aifd::services {

RedisStore::RedisStore(config::RedisUrl url, RedisStoreOptions options, chain::WrapByteStream tls)
    : answers_(std::make_shared<RedisAnswers>(std::move(url), std::move(options), std::move(tls))),
      writer_(std::make_unique<RedisWriter>(answers_)) {}

RedisStore::~RedisStore() = default;

void RedisStore::start_on(LoopExecutor loop) {
  redis_connection(asio::query(loop, asio::execution::context), answers_->server());
}

// While it waits the store may go.
Task<CacheEntryPtr> RedisStore::get(const CacheKey& key) {
  const std::shared_ptr<RedisAnswers> answers = answers_;
  const LoopExecutor loop = co_await asio::this_coro::executor;
  RedisConnection& connection =
      redis_connection(asio::query(loop, asio::execution::context), answers->server());
  const std::string name = RedisAnswers::name_of(key);
  const std::array<std::string_view, 4> arguments{"GETRANGE", name, "0", answers->read_up_to()};
  const std::optional<RedisReply> reply =
      co_await connection.command(arguments, answers->options().budget);
  co_return answers->take_record(key, reply);
}

void RedisStore::put(const CacheKey& key, CacheEntryPtr entry) {
  writer_->put(key, std::move(entry));
}

void RedisStore::clear() {
  writer_->clear();
}

// The writer does it, so that nothing it was given before is written afterwards. Asked again and
// again, since this loop may end before it, and it before this loop. Meanwhile the store may go.
Task<CacheClearing> RedisStore::clear_and_tell() {
  constexpr std::chrono::milliseconds kOften{5};
  const std::shared_ptr<RedisAnswers> answers = answers_;
  const std::uint64_t number = writer_->clear();
  const LoopExecutor loop = co_await asio::this_coro::executor;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, LoopExecutor> timer(loop);
  for (;;) {
    std::optional<CacheClearing> outcome = answers->clearings().outcome(number);
    if (outcome) co_return *std::move(outcome);
    timer.expires_after(kOften);
    co_await timer.async_wait(asio::use_awaitable_t<LoopExecutor>());
  }
}

CacheStat RedisStore::stat() const {
  return answers_->stat();
}

Task<CacheStat> RedisStore::measure() {
  const std::shared_ptr<RedisAnswers> answers = answers_;
  const LoopExecutor loop = co_await asio::this_coro::executor;
  RedisConnection& connection =
      redis_connection(asio::query(loop, asio::execution::context), answers->server());
  const RedisStoreOptions& options = answers->options();
  const RedisSweep found =
      co_await count_answers(connection, options.budget, Clock::now() + options.count_budget);
  CacheStat stat = answers->stat();
  if (found.trouble.empty()) stat.entries = found.entries;
  co_return stat;
}

bool RedisStore::looking_up() const noexcept {
  return answers_->server()->looking_up();
}

}  // namespace aifd::services
