// Answers kept in a Redis server, shared by all daemons that use it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "aifd/chain/byte_stream.hpp"
#include "aifd/config/redis_url.hpp"
#include "aifd/services/cache_store.hpp"

namespace aifd::services {

class RedisAnswers;
class RedisWriter;

struct RedisStoreOptions {
  // memory_bytes() of one, at most 512 MiB, Redis' own limit. Larger ones of other daemons are
  // misses.
  std::size_t max_entry_bytes = std::size_t{8} << 20;
  // What may wait to be written; what comes on top is dropped.
  std::size_t max_queued_bytes = std::size_t{64} << 20;
  // What get() waits for a server that is silent, above 0; then it counts as away.
  std::chrono::milliseconds budget{100};
  // What get() waits on top while the server sends: a large answer, or those before it.
  std::chrono::milliseconds patience{900};
  // What a write may take, at least the budget; nobody waits for it.
  std::chrono::milliseconds write_budget{5000};
  // What its end waits for what is still to be written, or to be cleared.
  std::chrono::milliseconds drain{1000};
  // For a name, a handshake and a log-in, in the background.
  std::chrono::milliseconds connect_budget{1000};
  // What measure() may take to count the answers; after that their number is not known.
  std::chrono::milliseconds count_budget{2000};
  std::function<std::int64_t()> wall_clock = wall_clock_seconds;
  // Told, from any thread, what is wrong with it; empty: the log is.
  std::function<void(const std::string&)> warn;
};

// An answer is the string "aifd:cache:1:<key in hex>", a record of cache_entry_codec.hpp; Redis
// drops it when it expires. One without an end stays until the server's maxmemory-policy drops it.
//
// Each loop reads over a connection of its own, which may outlive this. A thread of its own writes,
// over another, so that large answers on their way up delay nobody. While the server is away
// nobody waits for it, and what is put is dropped; the log hears of it once, as it does of an
// answer that is damaged or of another version, and of a server that stores nothing, each at most
// once an hour.
class RedisStore final : public CacheStore {
 public:
  // Connects the thread at once. A rediss:// URL needs `tls`, which is not used for others.
  RedisStore(config::RedisUrl url, RedisStoreOptions options, chain::WrapByteStream tls = {});
  ~RedisStore() override;

  // Connects for a loop, which otherwise the loop's first get() does. Before it runs, or on it.
  void start_on(LoopExecutor loop);

  Task<CacheEntryPtr> get(const CacheKey& key) override;
  void put(const CacheKey& key, CacheEntryPtr entry) override;
  void clear() override;  // in the background; touches nothing but its answers
  Task<CacheClearing> clear_and_tell() override;
  CacheStat stat() const override;  // of this daemon; what the server holds is not known
  // Counts what the server holds, by a walk through all its keys: what comes or goes meanwhile may
  // count or not. Its size stays unknown.
  Task<CacheStat> measure() override;

  bool looking_up() const noexcept override;

 private:
  const std::shared_ptr<RedisAnswers> answers_;  // also of a get() that outlives this
  const std::unique_ptr<RedisWriter> writer_;
};

}  // namespace aifd::services
