// A store and requests that go through the cache, for tests that play the upstream.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aifd/middleware/cache.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {

// Has what was put, as old as a test says; like one on disk it is asked with get() where it is
// slow.
class AgingStore final : public services::CacheStore {
 public:
  std::optional<services::CacheEntryPtr> try_get(const services::CacheKey& key) override {
    if (slow) return std::nullopt;
    return find(key);
  }
  Task<services::CacheEntryPtr> get(const services::CacheKey& key) override { co_return find(key); }
  void put(const services::CacheKey& key, services::CacheEntryPtr entry) override {
    entries[key] = *entry;
  }
  void clear() override { entries.clear(); }
  services::CacheStat stat() const override { return {}; }

  void age(std::int64_t seconds) {
    for (auto& [key, entry] : entries) entry.stored_at -= seconds;
  }

  std::map<services::CacheKey, services::CacheEntry> entries;
  bool slow = false;

 private:
  services::CacheEntryPtr find(const services::CacheKey& key) const {
    const auto found = entries.find(key);
    if (found == entries.end()) return nullptr;
    return std::make_shared<services::CacheEntry>(found->second);
  }
};

struct Told {
  int status = 0;
  std::string body;
  bool whole = false;
  chain::CacheUse cache = chain::CacheUse::none;
  std::string type;
  std::string tag;
  std::string age;
};

// One request on its way through the cache.
class Asked {
 public:
  Asked(asio::io_context& loop, const Cache& cache, chain::UpstreamCalls& calls,
        const std::string& body, const std::string& fields)
      : loop_(loop), exchange_("POST /v1/embeddings" + fields, body) {
    exchange_->route = {"/", exchange_->target.path, true};
    exchange_->calls = &calls;
    running_ =
        std::make_unique<test::Running<Result<chain::Verdict>>>(loop, cache.on_request(*exchange_));
    poll();
  }

  // One that still waits goes as its client leaves.
  ~Asked() {
    leave();
    poll();
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  bool answered() {
    poll();
    return running_->finished();
  }
  void leave() { exchange_->stopper.stop(client_left()); }

  Told told() {
    Told told;
    if (!answered()) return told;
    Result<chain::Verdict> verdict = running_->take();
    told.cache = exchange_->cache;
    if (!verdict) {
      told.status = -static_cast<int>(verdict.error().kind);
      return told;
    }
    chain::Reply& reply = test::answer_of(verdict);
    told.status = reply.head.status;
    told.type = reply.head.fields.get("Content-Type");
    told.tag = reply.head.fields.get("ETag");
    told.age = reply.head.fields.get("Age");
    read(*reply.body, told);
    return told;
  }

  static Error client_left() {
    return {ErrorKind::client_gone, ErrorSource::client, false, "It left."};
  }

 private:
  void poll() {
    loop_.restart();
    loop_.poll();
  }

  static void read(chain::BodySource& body, Told& told) {
    while (const auto piece = body.try_next()) {
      if (!*piece) return;
      told.body += (*piece)->bytes;
      if ((told.whole = (*piece)->last)) return;
    }
  }

  asio::io_context& loop_;
  test::TestExchange exchange_;
  std::unique_ptr<test::Running<Result<chain::Verdict>>> running_;
};

}  // namespace aifd::middleware
