#include "aifd/services/cache_look_up.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "aifd/base/log.hpp"
#include "sleeper.hpp"

namespace aifd::services {
namespace {

// Of those who ask, and of who waits for them; on one loop's thread.
struct LookUp {
  LookUp(CacheStore& where, std::vector<CacheKey> what, LookUpBounds how)
      : store(where),
        keys(std::move(what)),
        bounds(std::move(how)),
        until(bounds.clock() + bounds.time),
        found(keys.size()) {}

  bool goes_on() const {
    return next < keys.size() && bytes < bounds.body_bytes && bounds.clock() < until;
  }

  CacheStore& store;
  const std::vector<CacheKey> keys;
  const LookUpBounds bounds;
  const Clock::time_point until;
  std::vector<CacheEntryPtr> found;
  std::size_t next = 0;
  std::size_t bytes = 0;
  std::size_t asking = 0;
};

Task<void> ask_in_turn(std::shared_ptr<LookUp> look_up) {
  while (look_up->goes_on()) {
    const std::size_t i = look_up->next++;
    CacheEntryPtr entry = co_await look_up->store.get(look_up->keys[i]);
    if (entry) look_up->bytes += entry->body.size();
    look_up->found[i] = std::move(entry);
  }
}

}  // namespace

Task<std::vector<CacheEntryPtr>> get_many(CacheStore& store, std::vector<CacheKey> keys,
                                          LookUpBounds bounds) {
  const LoopExecutor loop = co_await asio::this_coro::executor;
  Sleeper sleeper(loop);
  chain::Stopper never;
  const auto look_up = std::make_shared<LookUp>(store, std::move(keys), std::move(bounds));
  look_up->asking = std::min(look_up->bounds.at_a_time, look_up->keys.size());
  for (std::size_t i = look_up->asking; i > 0; --i) {
    asio::co_spawn(loop, ask_in_turn(look_up),
                   [look_up, bell = sleeper.bell()](const std::exception_ptr& thrown) {
                     if (thrown) log::error("a look into the cache failed inside aifd");
                     if (--look_up->asking == 0) Bell::ring(bell);
                   });
  }
  while (look_up->asking > 0) co_await sleeper.sleep(never);
  co_return std::move(look_up->found);
}

}  // namespace aifd::services
