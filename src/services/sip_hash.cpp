#include "sip_hash.hpp"

#include <bit>
#include <cstring>
#include <random>

namespace aifd::services {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  explicit SipState(const SipKey& key) noexcept
      : v0(key[0] ^ 0x736f6d6570736575),
        v1(key[1] ^ 0x646f72616e646f6d),
        v2(key[0] ^ 0x6c7967656e657261),
        v3(key[1] ^ 0x7465646279746573) {}

  void round() noexcept {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void take(std::uint64_t word) noexcept {
    v3 ^= word;
    round();
    v0 ^= word;
  }

  std::uint64_t finish() noexcept {
    v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

// Of at most eight bytes, the lowest first; zeros stand for what is not there.
std::uint64_t word_of(const void* bytes, std::size_t count) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

SipKey random_sip_key() {
  std::random_device source;
  const auto word = [&source] { return std::uint64_t{source()} << 32 | source(); };
  return {word(), word()};
}

std::uint64_t sip_hash(const SipKey& key, const chain::CallerId& caller,
                       std::uint32_t rule) noexcept {
  SipState state(key);
  state.take(word_of(caller.data(), 8));
  state.take(word_of(caller.data() + 8, 8));
  state.take(std::uint64_t{caller.size() + sizeof rule} << 56 | rule);
  return state.finish();
}

std::uint64_t sip_hash(const SipKey& key, std::string_view text) noexcept {
  SipState state(key);
  const std::uint64_t size = text.size();
  for (; text.size() >= 8; text.remove_prefix(8)) state.take(word_of(text.data(), 8));
  const std::uint64_t rest = text.empty() ? 0 : word_of(text.data(), text.size());
  state.take(size << 56 | rest);
  return state.finish();
}

}  // namespace aifd::services
