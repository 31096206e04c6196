#include "aifd/services/key_ring.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <charconv>
#include <set>

namespace aifd::services {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";

KeyRing::Digest digest_of(std::string_view key) noexcept {
  KeyRing::Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return digest;
}

// The settings were checked: 64 hex digits follow the prefix.
KeyRing::Digest read_digest(std::string_view hex) noexcept {
  KeyRing::Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, digest[i], 16);
  }
  return digest;
}

std::string alias_of(const KeyRing::Digest& digest) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string alias;
  for (std::size_t i = 0; i < 4; ++i) {
    alias += kHex[digest[i] >> 4];
    alias += kHex[digest[i] & 15];
  }
  return alias;
}

}  // namespace

KeyRing::KeyRing(const std::vector<config::ForwardKey>& forward_keys,
                 const std::vector<config::ApiKey>& api_keys) {
  std::set<int> numbers;
  for (const config::ForwardKey& key : forward_keys) {
    const std::string_view text = key.key.reveal();
    const Digest digest = text.starts_with(kDigestPrefix)
                              ? read_digest(text.substr(kDigestPrefix.size()))
                              : digest_of(text);
    known_.push_back({digest, key.level, alias_of(digest)});
    numbers.insert(key.level);
  }
  for (const config::ApiKey& key : api_keys) numbers.insert(key.levels.begin(), key.levels.end());
  for (const config::ApiKey& key : api_keys) {
    if (key.levels.empty()) {
      every_level_.keys.push_back(key.key);
      for (const int number : numbers) levels_[number].keys.push_back(key.key);
    }
    for (const int number : key.levels) levels_[number].keys.push_back(key.key);
  }
}

const KeyRing::Known* KeyRing::find(std::string_view key) const noexcept {
  const Digest digest = digest_of(key);
  const Known* found = nullptr;
  for (const Known& known : known_) {
    if (CRYPTO_memcmp(known.digest.data(), digest.data(), digest.size()) == 0) found = &known;
  }
  return found;
}

const KeyRing::Level* KeyRing::level(int number) const noexcept {
  const auto found = levels_.find(number);
  return found == levels_.end() ? &every_level_ : &found->second;
}

std::string_view KeyRing::next_api_key(int number) const noexcept {
  const Level* chosen = level(number);
  if (chosen->keys.empty()) return {};
  const std::size_t turn = chosen->next.fetch_add(1, std::memory_order_relaxed);
  return chosen->keys[turn % chosen->keys.size()].reveal();
}

}  // namespace aifd::services
