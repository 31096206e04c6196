#include "aifd/services/key_ring.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "aifd/base/hex.hpp"
#include "aifd/base/log.hpp"
#include "sha256.hpp"
#include "sip_hash.hpp"

namespace aifd::services {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";

// The settings were checked: 64 hex digits follow the prefix.
KeyRing::Digest read_digest(std::string_view hex) noexcept {
  KeyRing::Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, digest[i], 16);
  }
  return digest;
}

std::string alias_of(const KeyRing::Digest& digest) {
  return hex(std::span(digest).first(4));
}

}  // namespace

KeyRing::KeyRing(const std::vector<config::ForwardKey>& forward_keys,
                 const std::vector<config::ApiKey>& api_keys)
    : tag_key_(random_sip_key()) {
  std::set<int> numbers;
  for (const config::ForwardKey& key : forward_keys) {
    const std::string_view text = key.key.reveal();
    const bool is_digest = text.starts_with(kDigestPrefix);
    const Digest digest =
        is_digest ? read_digest(text.substr(kDigestPrefix.size())) : digest_of(text);
    forward_keys_.push_back({{key.level, alias_of(digest)},
                             digest,
                             is_digest ? Secret() : key.key,
                             sip_hash(tag_key_, text)});
    has_digests_only_ = has_digests_only_ || is_digest;
    numbers.insert(key.level);
  }
  for (const config::ApiKey& key : api_keys) numbers.insert(key.levels.begin(), key.levels.end());
  for (const config::ApiKey& key : api_keys) {
    const std::size_t number = api_keys_.size();
    api_keys_.push_back(key.key);
    if (key.levels.empty()) {
      every_level_.keys.push_back(number);
      for (const int level : numbers) levels_[level].keys.push_back(number);
    }
    for (const int level : key.levels) levels_[level].keys.push_back(number);
  }
}

KeyRing::Digest KeyRing::digest_of(std::string_view key) noexcept {
  return sha256({key});
}

// Tags are compared as they are: without their key nobody can aim at one.
const KeyRing::ForwardKey* KeyRing::find_text(std::string_view key) const noexcept {
  const std::uint64_t tag = sip_hash(tag_key_, key);
  for (const ForwardKey& own : forward_keys_) {
    if (own.tag != tag) continue;
    const std::string_view text = own.text.reveal();
    if (!text.empty() && text.size() == key.size() &&
        CRYPTO_memcmp(text.data(), key.data(), key.size()) == 0) {
      return &own;
    }
  }
  return nullptr;
}

KeyRing::Caller KeyRing::identify(std::string_view key) const noexcept {
  if (const ForwardKey* own = find_text(key)) return {&own->known, own->digest};
  const Digest digest = digest_of(key);
  const ForwardKey* own = has_digests_only_ ? find_digest(digest) : nullptr;
  return {own != nullptr ? &own->known : nullptr, digest};
}

bool KeyRing::is_forward_key(std::string_view key) const noexcept {
  if (find_text(key) != nullptr) return true;
  return has_digests_only_ && find_digest(digest_of(key)) != nullptr;
}

// Each is compared in constant time.
const KeyRing::ForwardKey* KeyRing::find_digest(const Digest& digest) const noexcept {
  const ForwardKey* found = nullptr;
  for (const ForwardKey& own : forward_keys_) {
    if (CRYPTO_memcmp(own.digest.data(), digest.data(), digest.size()) == 0) found = &own;
  }
  return found;
}

const KeyRing::Level& KeyRing::level(int number) const noexcept {
  const auto found = levels_.find(number);
  return found == levels_.end() ? every_level_ : found->second;
}

KeyRing::ApiKey KeyRing::next_api_key(int number, std::string_view upstream,
                                      Clock::time_point now) const {
  const Level& chosen = level(number);
  if (chosen.keys.empty()) return {};
  const std::size_t turn = chosen.next.fetch_add(1, std::memory_order_relaxed);
  const bool alone = chosen.keys.size() == 1;
  if (!alone && any_rests_.load(std::memory_order_relaxed)) {
    return next_rested(chosen, turn, upstream, now);
  }
  const std::size_t key = chosen.keys[turn % chosen.keys.size()];
  return {api_keys_[key].reveal(), key, alone};
}

KeyRing::ApiKey KeyRing::next_rested(const Level& chosen, std::size_t turn,
                                     std::string_view upstream, Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  std::erase_if(rests_until_, [now](const auto& rest) { return rest.second <= now; });
  any_rests_ = !rests_until_.empty();
  std::size_t best = chosen.keys[turn % chosen.keys.size()];
  for (std::size_t i = 1; i < chosen.keys.size(); ++i) {
    const std::size_t key = chosen.keys[(turn + i) % chosen.keys.size()];
    if (rests_until(key, upstream) < rests_until(best, upstream)) best = key;
  }
  return {api_keys_[best].reveal(), best, false};
}

// Under the lock. The clock's beginning for a key that does not rest.
Clock::time_point KeyRing::rests_until(std::size_t number, std::string_view upstream) const {
  const auto found = rests_until_.find(Place(number, upstream));
  return found == rests_until_.end() ? Clock::time_point::min() : found->second;
}

void KeyRing::rest(std::size_t number, std::string_view upstream, int status,
                   Clock::duration length, Clock::time_point now) const {
  if (length <= Clock::duration{}) return;
  bool begins = false;
  {
    const std::lock_guard lock(mutex_);
    Clock::time_point& until = rests_until_[Place(number, upstream)];
    begins = until <= now;
    until = std::max(until, now + length);
    any_rests_ = true;
  }
  if (begins) {
    log::warn("API key {} rests for {} s at {}: the upstream answered {}",
              api_keys_[number].masked(), std::chrono::ceil<std::chrono::seconds>(length).count(),
              upstream, status);
  }
}

}  // namespace aifd::services
