#include "redis_writer.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "aifd/base/log.hpp"
#include "aifd/services/cache_entry_codec.hpp"
#include "aifd/services/redis_connection.hpp"
#include "redis_sweep.hpp"

namespace aifd::services {
namespace {

constexpr int kMostUnderWay = 4;  // their copies on the way do not count as queued
constexpr std::size_t kMostQueued = 65536;
constexpr std::int64_t kLongestTime = std::int64_t{100} * 366 * 24 * 3600;  // seconds

void report(const std::exception_ptr& thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const std::exception& fault) {
    log::error("writing to the answer cache in Redis failed inside aifd: {}", fault.what());
  }
}

}  // namespace

RedisWriter::RedisWriter(std::shared_ptr<RedisAnswers> answers)
    : answers_(std::move(answers)),
      connection_(redis_connection(loop_, answers_->server())),
      work_(loop_.get_executor()),
      end_(loop_),
      thread_([this] { loop_.run(); }) {}

RedisWriter::~RedisWriter() {
  asio::post(loop_, [this] { stop_soon(); });
  thread_.join();
  answers_->clearings().end();
}

void RedisWriter::put(const CacheKey& key, CacheEntryPtr entry) {
  const std::size_t bytes = memory_bytes(*entry);
  if (bytes <= answers_->options().max_entry_bytes && enqueue({key, std::move(entry), bytes})) {
    asio::post(loop_, [this] { wake(); });
  } else {
    answers_->count_dropped(1);
  }
}

bool RedisWriter::enqueue(Put put) {
  const std::size_t most_bytes = answers_->options().max_queued_bytes;
  const std::scoped_lock lock(mutex_);
  if (put.bytes > most_bytes || queued_bytes_ > most_bytes - put.bytes) return false;
  if (queue_.size() >= kMostQueued) return false;
  queued_bytes_ += put.bytes;
  queue_.push_back(std::move(put));
  return true;
}

std::uint64_t RedisWriter::clear() {
  const std::uint64_t number = answers_->clearings().ask();
  std::deque<Put> dropped;
  {
    const std::scoped_lock lock(mutex_);
    dropped.swap(queue_);
    for (const Put& put : dropped) queued_bytes_ -= put.bytes;
  }
  answers_->count_dropped(dropped.size());
  asio::post(loop_, [this] { wake(); });
  return number;
}

std::optional<RedisWriter::Put> RedisWriter::take_put() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  Put put = std::move(queue_.front());
  queue_.pop_front();
  return put;
}

void RedisWriter::release(std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  queued_bytes_ -= bytes;
}

// Commands go out in the order in which their work is started.
void RedisWriter::wake() {
  while (under_way_ < kMostUnderWay) {
    if (const std::optional<std::uint64_t> number = answers_->clearings().begin()) {
      start(remove_all(*number), 0);
    } else if (std::optional<Put> put = take_put()) {
      const std::size_t bytes = put->bytes;
      start(write(*std::move(put)), bytes);
    } else {
      break;
    }
  }
  if (stopping_ && under_way_ == 0) loop_.stop();
}

void RedisWriter::start(Task<void> work, std::size_t bytes) {
  ++under_way_;
  asio::co_spawn(loop_, std::move(work), [this, bytes](const std::exception_ptr& thrown) {
    report(thrown);
    release(bytes);
    --under_way_;
    wake();
  });
}

void RedisWriter::stop_soon() {
  stopping_ = true;
  end_.expires_after(answers_->options().drain);
  end_.async_wait([this](const boost::system::error_code&) { loop_.stop(); });
  wake();
}

Task<void> RedisWriter::write(Put put) {
  const CacheEntry& entry = *put.entry;
  const std::int64_t time =
      std::min(entry.expires_at - answers_->options().wall_clock(), kLongestTime);
  const bool expires = entry.expires_at != 0;
  if (connection_.away() || (expires && time <= 0)) {
    answers_->count_dropped(1);
    co_return;
  }
  const std::string name = RedisAnswers::name_of(put.key);
  const std::string record = encode_cache_entry(put.key, entry);
  const std::string seconds = std::to_string(time);
  std::vector<std::string_view> arguments{"SET", name, record};
  if (expires) arguments.insert(arguments.end(), {"EX", seconds});
  answers_->take_written(co_await ask(arguments));
}

Task<void> RedisWriter::remove_all(std::uint64_t number) {
  RedisSweep sweep = co_await remove_answers(connection_, answers_->options().write_budget);
  if (!sweep.trouble.empty()) answers_->warn("could not be cleared: " + sweep.trouble);
  answers_->clearings().done(number, {sweep.entries, std::move(sweep.trouble)});
}

Task<std::optional<RedisReply>> RedisWriter::ask(std::span<const std::string_view> arguments) {
  co_return co_await connection_.command(arguments, answers_->options().write_budget);
}

}  // namespace aifd::services
