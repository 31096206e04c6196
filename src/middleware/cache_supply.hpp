// Where the answer to one request comes from, unless another brings it: the store or an upstream.
#pragma once

#include <memory>
#include <vector>

#include "aifd/chain/task.hpp"
#include "aifd/services/cache_store.hpp"
#include "aifd/services/shared_answer.hpp"

namespace aifd::middleware {

// Lives as long as its exchange, on its loop.
class CacheSupply {
 public:
  CacheSupply() = default;
  CacheSupply(const CacheSupply&) = delete;
  CacheSupply& operator=(const CacheSupply&) = delete;
  virtual ~CacheSupply() = default;

  // From the store without waiting for it; null: nothing, or only stored() can tell.
  virtual Task<services::CacheEntryPtr> at_hand() = 0;
  // Null: a miss. May be called again.
  virtual Task<services::CacheEntryPtr> stored() = 0;

  // Equal for requests that may share one answer while it comes.
  virtual services::CacheKey flight_key() const = 0;
  // Of answers that serve this request too, once they are whole.
  virtual std::vector<services::CacheKey> other_flights() const { return {}; }
  // How an answer to be given to call() is kept.
  virtual services::SharedAnswer::Options recording() const = 0;
  // Asks the upstream for what is not there: the last that is asked of it.
  virtual void call(const std::shared_ptr<services::SharedAnswer>& answer) = 0;
};

}  // namespace aifd::middleware
