#include "aifd/protocol/glob.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

struct Case {
  std::string pattern;
  std::string text;
};

TEST(GlobMatch, TakesWhatIsOfItsForm) {
  const Case cases[] = {
      {"", ""},
      {"gpt-4", "gpt-4"},
      {"*", ""},
      {"*", "anything/at:all"},
      {"**", ""},
      {"**", "a"},
      {"gpt-3.5*", "gpt-3.5"},
      {"gpt-3.5*", "gpt-3.5-turbo"},
      {"*-mini", "gpt-4o-mini"},
      {"*-mini", "-mini"},
      {"openai/*", "openai/gpt-4o/x"},
      {"*/gpt-*", "openai/gpt-4o"},
      {"a*b*c", "abc"},
      {"a*b*c", "aXbYc"},
      {"a*b*c", "abbccbc"},
      {"*ab*ab*", "abab"},
      {"*aab", "aaaab"},
      {"a**b", "ab"},
      {"ft:*:org::*", "ft:gpt-4:org::id"},
      {"[ab]?.\\", "[ab]?.\\"},
  };
  for (const Case& c : cases) EXPECT_TRUE(glob_match(c.pattern, c.text)) << c.pattern << c.text;
}

TEST(GlobMatch, RefusesAllElse) {
  const Case cases[] = {
      {"", "a"},          {"gpt-4", "gpt-4o"},   {"gpt-4", "xgpt-4"},  {"gpt-4", "GPT-4"},
      {"gpt-4", ""},      {"gpt-4*", "gpt-"},    {"*mini", "minimal"}, {"a*a", "a"},
      {"ab*ba", "aba"},   {"*ab*ab*", "aba"},    {"a*b*c", "acb"},     {"a*b*c", "abcX"},
      {"gpt.4", "gpt-4"}, {"gpt-?", "gpt-4"},    {"[ab]", "a"},        {"\\*", "*"},
      {"*a*", "bcd"},     {"gpt*-4*x", "gpt-4"},
  };
  for (const Case& c : cases) EXPECT_FALSE(glob_match(c.pattern, c.text)) << c.pattern << c.text;
}

TEST(GlobMatch, IsQuickWithManyStars) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a";
  const std::string text(100'000, 'a');
  EXPECT_TRUE(glob_match(pattern, text));
  EXPECT_FALSE(glob_match(pattern + "*b*", text));
  EXPECT_FALSE(glob_match(pattern + "b", text));
}

}  // namespace
}  // namespace aifd::protocol
