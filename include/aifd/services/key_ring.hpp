// Forward keys, their levels, and the API keys that take their place.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/base/clock.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::services {

// Immutable but for the turns and the rests; shared by all workers.
class KeyRing {
 public:
  using Digest = std::array<unsigned char, 32>;  // SHA-256

  // What is told of a forward key.
  struct Known {
    int level = 0;
    std::string alias;  // the digest's first 8 hex digits, for logs
  };

  // Whose key it is.
  struct Caller {
    const Known* known = nullptr;  // valid as long as the ring; null: it is no forward key
    Digest digest;                 // of the key
  };

  KeyRing(const std::vector<config::ForwardKey>& forward_keys,
          const std::vector<config::ApiKey>& api_keys);

  bool has_forward_keys() const noexcept { return !forward_keys_.empty(); }

  static Digest digest_of(std::string_view key) noexcept;

  // The time that these take tells nothing of the keys.
  Caller identify(std::string_view key) const noexcept;
  bool is_forward_key(std::string_view key) const noexcept;

  struct ApiKey {
    std::string_view text;   // "": the level has none
    std::size_t number = 0;  // for rest()
    bool alone = true;       // its level has no other
  };

  // The next API key of a level, in turn over all workers, of those that do not rest at that
  // upstream (its authority); where all rest, the one that rests shortest.
  ApiKey next_api_key(int level, std::string_view upstream, Clock::time_point now) const;

  // The upstream refused the key with that status: it rests there for so long. The log says so at
  // the rest's beginning.
  void rest(std::size_t number, std::string_view upstream, int status, Clock::duration length,
            Clock::time_point now) const;

 private:
  // Most are found by their text, which spares the digest.
  struct ForwardKey {
    Known known;
    Digest digest;
    Secret text;            // empty: the settings give its digest only
    std::uint64_t tag = 0;  // of its text, by a key of this ring's own
  };
  struct Level {
    std::vector<std::size_t> keys;  // numbers of api_keys_
    mutable std::atomic<std::size_t> next{0};
  };
  using Place = std::pair<std::size_t, std::string>;  // a key's number, an upstream

  const ForwardKey* find_text(std::string_view key) const noexcept;
  const ForwardKey* find_digest(const Digest& digest) const noexcept;
  const Level& level(int number) const noexcept;
  Clock::time_point rests_until(std::size_t number, std::string_view upstream) const;
  ApiKey next_rested(const Level& chosen, std::size_t turn, std::string_view upstream,
                     Clock::time_point now) const;

  const std::array<std::uint64_t, 2> tag_key_;
  std::vector<ForwardKey> forward_keys_;
  bool has_digests_only_ = false;  // of some forward key the text is not known
  std::vector<Secret> api_keys_;
  std::map<int, Level> levels_;
  Level every_level_;  // for levels that no key names: the keys of every level

  mutable std::atomic<bool> any_rests_{false};  // spares most requests the lock
  mutable std::mutex mutex_;
  mutable std::map<Place, Clock::time_point> rests_until_;  // guarded by mutex_
};

}  // namespace aifd::services
