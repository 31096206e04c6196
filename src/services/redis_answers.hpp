// Answers in Redis: their names, what replies about them mean, and what is counted and told of
// them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/services/redis_reply.hpp"
#include "aifd/services/redis_server.hpp"
#include "aifd/services/redis_store.hpp"
#include "redis_clearings.hpp"

namespace aifd::services {

// Shared by the loops that read and the thread that writes; lives as long as any of them.
class RedisAnswers {
 public:
  using Reply = std::optional<RedisReply>;  // null: the server is away, or too slow

  static constexpr std::string_view kPrefix = "aifd:cache:1:";
  static std::string name_of(const CacheKey& key);

  RedisAnswers(config::RedisUrl url, RedisStoreOptions options, chain::WrapByteStream tls);

  const RedisStoreOptions& options() const noexcept { return options_; }
  const std::shared_ptr<RedisServer>& server() const noexcept { return server_; }
  RedisClearings& clearings() noexcept { return clearings_; }

  // An index, up to which a record is read: by it a record that is too large is known.
  const std::string& read_up_to() const noexcept { return read_up_to_; }

  // Of GETRANGE. Null: a miss, whatever the reason.
  CacheEntryPtr take_record(const CacheKey& key, const Reply& reply);
  // Of SET; null also where nothing was sent.
  void take_written(const Reply& reply);

  void count_dropped(std::uint64_t entries) noexcept { dropped_ += entries; }
  CacheStat stat() const;

  // Tells the log that the answer cache `what`: "holds a damaged record".
  void warn(std::string_view what) const;

 private:
  // Of something that may come with every request: told once an hour.
  class Notice {
   public:
    bool due() noexcept;

   private:
    std::atomic<Clock::time_point> told_{Clock::time_point::min()};
  };

  CacheEntryPtr decode(const CacheKey& key, const Reply& reply);
  CacheEntryPtr is_damaged();

  const RedisStoreOptions options_;
  const std::string read_up_to_;
  const std::shared_ptr<RedisServer> server_;
  std::atomic<std::uint64_t> hits_{0}, misses_{0}, away_{0}, stored_{0}, dropped_{0};
  RedisClearings clearings_;
  Notice damaged_;
  Notice unwritable_;
};

}  // namespace aifd::services
