#include "aifd/protocol/field_name.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace aifd::protocol {
namespace {

std::string capitals(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

TEST(FindKnownName, KnowsEachNameInAnyCase) {
  for (std::size_t i = 0; i < kKnownNames.size(); ++i) {
    const std::string_view name = kKnownNames[i];
    EXPECT_EQ(find_known_name(name), i + 1) << name;
    EXPECT_EQ(find_known_name(capitals(name)), i + 1) << name;
  }
}

// Whichever character of a name is another one that may stand in a token.
TEST(FindKnownName, TakesNoOtherTokenForAKnownName) {
  constexpr std::string_view kOthers = "!#$%&'*+.^_`|~-0189azAZ";
  for (const std::string_view name : kKnownNames) {
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (const char c : kOthers) {
        std::string other(name);
        other[at] = c;
        if (iequals(other, name)) continue;
        EXPECT_NE(find_known_name(other), find_known_name(name)) << other;
      }
    }
    EXPECT_EQ(find_known_name(std::string(name) + "-x"), kUnknownName);
    EXPECT_NE(find_known_name(name.substr(1)), find_known_name(name));
  }
}

TEST(FindKnownName, KnowsNoOthers) {
  for (const std::string_view name :
       {"", "x", "x-y", "hosts", "content-lengthy", "proxy-connection"}) {
    EXPECT_EQ(find_known_name(name), kUnknownName) << name;
  }
}

TEST(FieldName, IsEqualInAnyCaseKnownOrNot) {
  const FieldName known = std::string_view("CONTENT-type");
  const FieldName unknown = std::string_view("X-Mine");
  EXPECT_TRUE(known == "Content-Type");
  EXPECT_TRUE(unknown == "x-mine");
  EXPECT_FALSE(unknown == "x-min");
  EXPECT_FALSE(unknown == "Host");
  EXPECT_FALSE(known == unknown);
}

TEST(NameSet, HasWhatItWasMadeOf) {
  static constexpr NameSet kSet{"Host", "X-Stainless-Timeout"};
  EXPECT_TRUE(kSet.has(name_id("host")));
  EXPECT_TRUE(kSet.has(name_id("x-stainless-timeout")));
  EXPECT_FALSE(kSet.has(name_id("Accept")));
  EXPECT_FALSE(kSet.has(kUnknownName));
}

}  // namespace
}  // namespace aifd::protocol
