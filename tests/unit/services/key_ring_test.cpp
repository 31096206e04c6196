#include "aifd/services/key_ring.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace aifd::services {
namespace {

using config::ApiKey;
using config::ForwardKey;

// printf %s fk-digest | sha256sum
constexpr const char* kDigest =
    "sha256:e84a42c79faf8daaf9367b144d00863f803f8a8a5327d5d5e613f3c89beb4abb";

ForwardKey forward(const std::string& key, int level = 0) {
  return {Secret(key), level};
}

ApiKey api(const std::string& key, std::vector<int> levels = {}) {
  return {Secret(key), std::move(levels)};
}

constexpr int kUnknown = -1;
constexpr std::string_view kUpstream = "api.example";
constexpr Clock::time_point kNow{std::chrono::hours(1)};

std::string turns(const KeyRing& ring, int level, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += std::string(ring.next_api_key(level, kUpstream, kNow).text) + " ";
  }
  return text;
}

int level_of(const KeyRing& ring, std::string_view key) {
  const KeyRing::Known* known = ring.identify(key).known;
  EXPECT_EQ(ring.is_forward_key(key), known != nullptr) << key;
  return known == nullptr ? kUnknown : known->level;
}

TEST(KeyRingForwardKeys, AreKnownByTheExactKeyOnly) {
  const KeyRing ring({forward("fk-one", 1), forward("fk-two", 2)}, {});
  EXPECT_EQ(level_of(ring, "fk-one"), 1);
  EXPECT_EQ(level_of(ring, "fk-two"), 2);
  for (const std::string_view wrong :
       {"", "fk-on", "fk-one1", "fk-onE", "FK-ONE", " fk-one", "fk-one ", "k-one", "fk-"}) {
    EXPECT_EQ(level_of(ring, wrong), kUnknown) << wrong;
  }
  EXPECT_EQ(level_of(ring, std::string_view("fk-one\0", 7)), kUnknown);
}

TEST(KeyRingForwardKeys, MayBeGivenAsTheirDigests) {
  std::string capitals = kDigest;
  for (std::size_t i = 7; i < capitals.size(); ++i) {
    capitals[i] = static_cast<char>(std::toupper(capitals[i]));
  }
  for (const std::string& digest : {std::string(kDigest), capitals}) {
    const KeyRing ring({forward(digest, 3)}, {});
    EXPECT_EQ(level_of(ring, "fk-digest"), 3);
    EXPECT_EQ(level_of(ring, digest), kUnknown) << "who has read the settings has no key yet";
    EXPECT_EQ(level_of(ring, digest.substr(7)), kUnknown);
  }
}

TEST(KeyRingForwardKeys, HaveTheirDigestsBeginningAsAlias) {
  for (const std::string& key : {std::string("fk-digest"), std::string(kDigest)}) {
    const KeyRing ring({forward(key)}, {});
    const auto [known, digest] = ring.identify("fk-digest");
    ASSERT_NE(known, nullptr);
    EXPECT_EQ(known->alias, std::string_view(kDigest).substr(7, 8));
    EXPECT_EQ(digest, KeyRing::digest_of("fk-digest"));
  }
}

TEST(KeyRing, SaysWhetherItHasForwardKeys) {
  EXPECT_FALSE(KeyRing({}, {api("sk-a")}).has_forward_keys());
  EXPECT_TRUE(KeyRing({forward("fk")}, {}).has_forward_keys());
}

TEST(KeyRingApiKeys, TakeTurnsWithinTheirLevel) {
  const KeyRing ring({}, {api("a", {0}), api("b", {0, 1}), api("c", {1}), api("d", {0})});
  EXPECT_EQ(turns(ring, 0, 7), "a b d a b d a ");
  EXPECT_EQ(turns(ring, 1, 3), "b c b ");
}

TEST(KeyRingApiKeys, OfEveryLevelServeAnyLevel) {
  const KeyRing ring({forward("fk", 5)}, {api("all"), api("one", {1})});
  EXPECT_EQ(turns(ring, 1, 4), "all one all one ");
  EXPECT_EQ(turns(ring, 5, 2), "all all ");
  EXPECT_EQ(turns(ring, 99, 2), "all all ") << "a level that nothing names";
}

TEST(KeyRingApiKeys, AreNoneWhereALevelHasNone) {
  const KeyRing ring({forward("fk", 2)}, {api("a", {0})});
  EXPECT_EQ(ring.next_api_key(2, kUpstream, kNow).text, "");
  EXPECT_EQ(ring.next_api_key(7, kUpstream, kNow).text, "");
  EXPECT_EQ(KeyRing({}, {}).next_api_key(0, kUpstream, kNow).text, "");
}

TEST(KeyRingApiKeys, ServeEquallyOftenOverAllThreads) {
  constexpr int kThreads = 4;
  constexpr int kTurns = 3000;
  const KeyRing ring({}, {api("a"), api("b"), api("c")});
  std::vector<std::map<std::string_view, int>> counts(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : counts) {
    threads.emplace_back([&ring, &mine] {
      for (int i = 0; i < kTurns; ++i) ++mine[ring.next_api_key(0, kUpstream, kNow).text];
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::map<std::string_view, int> total;
  for (const auto& mine : counts) {
    for (const auto& [key, count] : mine) total[key] += count;
  }
  constexpr int kEach = kThreads * kTurns / 3;
  EXPECT_EQ(total, (std::map<std::string_view, int>{{"a", kEach}, {"b", kEach}, {"c", kEach}}));
}

class KeyRingRest : public testing::Test {
 protected:
  std::string next(std::string_view upstream, std::chrono::seconds after) {
    return std::string(ring_.next_api_key(0, upstream, kNow + after).text);
  }
  void rest(std::size_t number, std::string_view upstream, std::chrono::seconds length) {
    ring_.rest(number, upstream, 429, length, kNow);
  }

  KeyRing ring_{{}, {api("a", {0}), api("b", {0, 1}), api("c", {0})}};
};

using std::chrono::seconds;

TEST_F(KeyRingRest, LetsTheOthersTakeTheTurnsUntilItIsOver) {
  rest(1, "x", seconds(10));
  std::string during;
  for (int i = 0; i < 6; ++i) during += next("x", seconds(9));
  EXPECT_EQ(during.find('b'), std::string::npos) << during;
  EXPECT_NE(during.find('a'), std::string::npos) << during;
  EXPECT_NE(during.find('c'), std::string::npos) << during;
  std::string after;
  for (int i = 0; i < 3; ++i) after += next("x", seconds(10));
  EXPECT_NE(after.find('b'), std::string::npos) << after;
}

TEST_F(KeyRingRest, IsAtOneUpstreamOnly) {
  rest(0, "x", seconds(10));
  std::string elsewhere;
  for (int i = 0; i < 3; ++i) elsewhere += next("y", seconds(1));
  EXPECT_NE(elsewhere.find('a'), std::string::npos);
}

TEST_F(KeyRingRest, OfAllGivesTheOneThatRestsShortest) {
  rest(0, "x", seconds(30));
  rest(1, "x", seconds(10));
  rest(2, "x", seconds(20));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next("x", seconds(1)), "b");
}

TEST_F(KeyRingRest, IsNotShortenedByALaterAnswer) {
  rest(0, "x", seconds(30));
  rest(0, "x", seconds(1));
  std::string during;
  for (int i = 0; i < 4; ++i) during += next("x", seconds(20));
  EXPECT_EQ(during.find('a'), std::string::npos);
}

TEST_F(KeyRingRest, OfAnOnlyKeyChangesNothing) {
  const KeyRing ring({}, {api("a")});
  ring.rest(0, "x", 401, seconds(10), kNow);
  const KeyRing::ApiKey key = ring.next_api_key(0, "x", kNow);
  EXPECT_EQ(key.text, "a");
  EXPECT_TRUE(key.alone);
}

}  // namespace
}  // namespace aifd::services
