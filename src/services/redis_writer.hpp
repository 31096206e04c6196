// Writes answers to Redis on a thread of its own, and clears them there.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "redis_answers.hpp"

namespace aifd::services {

class RedisConnection;

// put() and clear() from any thread.
class RedisWriter {
 public:
  explicit RedisWriter(std::shared_ptr<RedisAnswers> answers);
  RedisWriter(const RedisWriter&) = delete;
  RedisWriter& operator=(const RedisWriter&) = delete;
  ~RedisWriter();  // writes what is queued, as far as that goes in RedisStoreOptions::drain

  void put(const CacheKey& key, CacheEntryPtr entry);
  // After what is under way, and instead of what is queued. Gives its number in
  // RedisAnswers::clearings().
  std::uint64_t clear();

 private:
  struct Put {
    CacheKey key;
    CacheEntryPtr entry;
    std::size_t bytes;
  };

  bool enqueue(Put put);
  std::optional<Put> take_put();
  void release(std::size_t bytes);

  // On the thread from here on.
  void wake();
  void start(Task<void> work, std::size_t bytes);
  void stop_soon();
  Task<void> write(Put put);
  Task<void> remove_all(std::uint64_t number);
  Task<std::optional<RedisReply>> ask(std::span<const std::string_view> arguments);

  const std::shared_ptr<RedisAnswers> answers_;
  asio::io_context loop_{1};     // what still waits in it at the end touches nothing below
  RedisConnection& connection_;  // the loop's
  asio::executor_work_guard<LoopExecutor> work_;
  asio::steady_timer end_;
  int under_way_ = 0;
  bool stopping_ = false;

  std::mutex mutex_;  // of the next two
  std::deque<Put> queue_;
  std::size_t queued_bytes_ = 0;  // until they are written

  std::thread thread_;
};

}  // namespace aifd::services
