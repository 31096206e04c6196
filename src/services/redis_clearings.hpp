// What became of each time that the answers in Redis were to be cleared.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

// From any thread. One clearing serves all who asked before it began.
class RedisClearings {
 public:
  // The number by which to ask for the outcome.
  std::uint64_t ask();

  // Of the one that begins now: the last that was asked for; null: none is to be done.
  std::optional<std::uint64_t> begin();
  void done(std::uint64_t number, CacheClearing outcome);
  // No more will be done.
  void end();

  // Null: not yet. Of a later one where that served it too.
  std::optional<CacheClearing> outcome(std::uint64_t number) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t asked_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t done_ = 0;
  CacheClearing last_;
  bool ended_ = false;
};

}  // namespace aifd::services
