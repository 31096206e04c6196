#include "redis_answers.hpp"

#include <algorithm>
#include <utility>

#include "aifd/base/hex.hpp"
#include "aifd/services/cache_entry_codec.hpp"

namespace aifd::services {
namespace {

constexpr std::size_t kMostOfRedis = std::size_t{512} << 20;  // of one string
constexpr std::chrono::hours kQuietFor{1};

RedisStoreOptions within_bounds(RedisStoreOptions options) {
  options.max_entry_bytes = std::min(options.max_entry_bytes, kMostOfRedis);
  options.write_budget = std::max(options.write_budget, options.budget);
  return options;
}

RedisOptions server_options(config::RedisUrl url, const RedisStoreOptions& options,
                            chain::WrapByteStream tls) {
  RedisOptions server;
  server.url = std::move(url);
  server.budget = options.budget;
  server.connect_budget = options.connect_budget;
  server.patience = options.patience;
  server.most_reply_bytes = options.max_entry_bytes + RedisReplyReader::kMostBytes;
  server.meanwhile = "answers are not cached";
  server.warn = options.warn;
  server.wrap = std::move(tls);
  return server;
}

}  // namespace

std::string RedisAnswers::name_of(const CacheKey& key) {
  return std::string(kPrefix) + hex(key);
}

RedisAnswers::RedisAnswers(config::RedisUrl url, RedisStoreOptions options,
                           chain::WrapByteStream tls)
    : options_(within_bounds(std::move(options))),
      read_up_to_(std::to_string(options_.max_entry_bytes)),
      server_(
          std::make_shared<RedisServer>(server_options(std::move(url), options_, std::move(tls)))) {
}

CacheEntryPtr RedisAnswers::take_record(const CacheKey& key, const Reply& reply) {
  CacheEntryPtr entry = decode(key, reply);
  ++(entry ? hits_ : misses_);
  return entry;
}

CacheEntryPtr RedisAnswers::decode(const CacheKey& key, const Reply& reply) {
  if (!reply) {
    ++away_;
    return nullptr;
  }
  if (reply->is_error("WRONGTYPE")) return is_damaged();
  if (reply->kind != RedisReply::Kind::text) {
    ++away_;
    server_->refused_command(reply->text);
    return nullptr;
  }
  server_->served_command();
  if (reply->text.empty() || reply->text.size() > options_.max_entry_bytes) return nullptr;
  std::optional<CacheEntry> entry = decode_cache_entry(key, reply->text);
  if (!entry) return is_damaged();
  if (entry->expired(options_.wall_clock())) return nullptr;
  return std::make_shared<const CacheEntry>(*std::move(entry));
}

// It is not removed: the answer that is fetched now takes its place.
CacheEntryPtr RedisAnswers::is_damaged() {
  if (damaged_.due()) warn("holds a record that is damaged, or not of this version");
  return nullptr;
}

// The server may well be read while it takes no more: no room, a replica, a full disk.
void RedisAnswers::take_written(const Reply& reply) {
  const bool stored = reply && reply->is_status("OK");
  ++(stored ? stored_ : dropped_);
  if (stored || !reply || !unwritable_.due()) return;
  warn("cannot be written, answers are not kept: " + printable(reply->text));
}

CacheStat RedisAnswers::stat() const {
  CacheStat stat;
  stat.hits = hits_;
  stat.misses = misses_;
  stat.away = away_;
  stat.stored = stored_;
  stat.dropped = dropped_;
  stat.trouble = server_->trouble();
  return stat;
}

void RedisAnswers::warn(std::string_view what) const {
  server_->warn("the answer cache, Redis at " + server_->options().url.place() + ", " +
                std::string(what));
}

bool RedisAnswers::Notice::due() noexcept {
  const Clock::time_point now = Clock::now();
  Clock::time_point told = told_;
  if (told != Clock::time_point::min() && now - told < kQuietFor) return false;
  return told_.compare_exchange_strong(told, now);
}

}  // namespace aifd::services
