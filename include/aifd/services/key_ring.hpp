// Forward keys, their levels, and the API keys that take their place.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::services {

// Immutable but for the round robin's counters; shared by all workers.
class KeyRing {
 public:
  using Digest = std::array<unsigned char, 32>;  // SHA-256

  struct Known {
    Digest digest;
    int level = 0;
    std::string alias;  // the digest's first 8 hex digits, for logs
  };

  KeyRing(const std::vector<config::ForwardKey>& forward_keys,
          const std::vector<config::ApiKey>& api_keys);

  bool has_forward_keys() const noexcept { return !known_.empty(); }

  // The forward key that is exactly this; null: none. Digests are compared, in constant time each.
  const Known* find(std::string_view key) const noexcept;

  // The next API key of a level, in turn over all workers; "" where the level has none.
  std::string_view next_api_key(int level) const noexcept;

 private:
  struct Level {
    std::vector<Secret> keys;
    mutable std::atomic<std::size_t> next{0};
  };

  const Level* level(int number) const noexcept;

  std::vector<Known> known_;
  std::map<int, Level> levels_;
  Level every_level_;  // for levels that no key names: the keys of every level
};

}  // namespace aifd::services
