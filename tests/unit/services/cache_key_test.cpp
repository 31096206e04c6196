#include "aifd/services/cache_key.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "aifd/base/hex.hpp"
#include "sha256.hpp"

namespace aifd::services {
namespace {

using protocol::CacheKeyBody;
using protocol::CacheKeyParts;
using protocol::Fields;

// FIPS 180-2, appendix B.
TEST(Sha256, IsOfThePiecesTogether) {
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(hex(sha256({"abc"})), abc);
  EXPECT_EQ(hex(sha256({"", "a", "bc"})), abc);
  EXPECT_EQ(hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CacheKey, IsTheDigestOfHeadAndBody) {
  Fields fields;
  fields.add("Content-Type", "application/json");
  const CacheKeyParts parts{.upstream = "https://api.openai.com",
                            .method = "POST",
                            .path = "/v1/chat/completions",
                            .query = "",
                            .fields = fields,
                            .scope = "level 0",
                            .body_is = CacheKeyBody::canonical,
                            .body = R"({"model":"gpt-4"})"};
  const CacheKey key = make_cache_key(parts);
  EXPECT_EQ(key, sha256({protocol::cache_key_head(parts) + std::string(parts.body)}));
  EXPECT_EQ(make_cache_key(parts), key);
}

TEST(CacheKey, DiffersWithEveryPart) {
  Fields none;
  Fields some;
  some.add("OpenAI-Beta", "x");
  const auto raw = CacheKeyBody::raw;
  const auto canonical = CacheKeyBody::canonical;
  const CacheKeyParts requests[] = {
      {"u", "m", "p", "q", none, "s", raw, "b"}, {"U", "m", "p", "q", none, "s", raw, "b"},
      {"u", "M", "p", "q", none, "s", raw, "b"}, {"u", "m", "P", "q", none, "s", raw, "b"},
      {"u", "m", "p", "Q", none, "s", raw, "b"}, {"u", "m", "p", "q", some, "s", raw, "b"},
      {"u", "m", "p", "q", none, "S", raw, "b"}, {"u", "m", "p", "q", none, "s", canonical, "b"},
      {"u", "m", "p", "q", none, "s", raw, "B"}, {"u", "m", "p", "q", none, "sb", raw, ""},
      {"um", "", "p", "q", none, "s", raw, "b"}, {"u", "mp", "", "q", none, "s", raw, "b"},
  };
  std::set<std::string> keys;
  for (const CacheKeyParts& parts : requests) keys.insert(hex(make_cache_key(parts)));
  EXPECT_EQ(keys.size(), std::size(requests));
}

}  // namespace
}  // namespace aifd::services
