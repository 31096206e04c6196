#include "aifd/services/redis_store.hpp"

#include <array>
#include <boost/asio/this_coro.hpp>
#include <string_view>
#include <utility>

#include "aifd/services/redis_connection.hpp"
#include "redis_answers.hpp"
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

CacheStat RedisStore::stat() const {
  return answers_->stat();
}

bool RedisStore::looking_up() const noexcept {
  return answers_->server()->looking_up();
}

}  // namespace aifd::services
