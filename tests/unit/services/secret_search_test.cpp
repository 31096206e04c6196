#include "secret_search.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace aifd::services {
namespace {

// Few letters, so that parts of it stand everywhere.
std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 3);
  return text;
}

bool holds_any(std::string_view text, const std::vector<Secret>& secrets) {
  static SecretSearch search;
  search.look_for(secrets);
  return search.finds_any(text);
}

TEST(SecretSearch, FindsSecretsOfAnySizeAtAnyPlace) {
  std::mt19937 random(7);
  for (const std::size_t size : {4, 5, 15, 16, 17, 28, 31, 35, 36, 40, 100, 1000}) {
    const std::vector<Secret> secrets{Secret(std::string(20, 'x')),
                                      Secret('y' + random_text(random, size - 1))};
    const std::string secret(secrets.back().reveal());
    for (std::size_t before = 0; before < 70; ++before) {
      const std::string text = random_text(random, before) + secret;
      EXPECT_TRUE(holds_any(text, secrets)) << size << " at " << before;
      EXPECT_TRUE(holds_any(text + random_text(random, 90), secrets)) << size << " at " << before;
      EXPECT_FALSE(holds_any(text.substr(0, text.size() - 1), secrets)) << size << " at " << before;
    }
  }
}

TEST(SecretSearch, SaysWhatASearchForEachSays) {
  std::mt19937 random(8);
  int found = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::string text = random_text(random, 2000);
    std::vector<Secret> secrets;
    for (int i = 0; i < 3; ++i) {
      const std::string from = random() % 2 == 0 ? text : random_text(random, 2000);
      secrets.emplace_back(from.substr(random() % 1900, 4 + random() % 60));
      if (secrets.back().reveal().size() < 9) secrets.pop_back();
    }
    bool expected = false;
    for (const Secret& secret : secrets) {
      expected = expected || text.find(secret.reveal()) != std::string::npos;
    }
    EXPECT_EQ(holds_any(text, secrets), expected);
    if (expected) ++found;
  }
  EXPECT_GT(found, 1000);
  EXPECT_LT(found, 1990);
}

TEST(SecretSearch, LooksForNoneThatRedactorLeaves) {
  const std::vector<Secret> secrets{Secret(""), Secret("abc")};
  EXPECT_FALSE(holds_any("abc", secrets));
  EXPECT_FALSE(holds_any("", secrets));
  EXPECT_FALSE(holds_any("abc", {}));
}

TEST(SecretSearch, LooksForTheSecretsGivenLast) {
  SecretSearch search;
  std::vector<Secret> secrets{Secret("a secret that is long"), Secret("a short one")};
  const std::string text = "a short one and a secret that is long";
  EXPECT_FALSE(search.finds_any(text));
  search.look_for(secrets);
  EXPECT_TRUE(search.finds_any(text));
  secrets = {Secret("a secret that is far longer than that")};
  EXPECT_TRUE(search.finds_any(text)) << "these are copies";
  search.look_for(secrets);
  EXPECT_FALSE(search.finds_any(text));
  search.look_for({});
  EXPECT_FALSE(search.finds_any(text));
}

TEST(SecretSearch, KnowsWhichSecretsHaveSeveralForms) {
  SecretSearch search;
  const auto have_forms = [&](const char* secret) {
    search.look_for(std::vector{Secret("plain"), Secret(secret)});
    return search.have_forms();
  };
  for (const char* secret : {"sk-1/x", "a\"b\"", "a\\bc", "\u00e9-\u00e9", "line\n"}) {
    EXPECT_TRUE(have_forms(secret)) << secret;
  }
  for (const char* secret : {"sk-12345", "a/b", "~!@#$%^&*()"}) {
    EXPECT_FALSE(have_forms(secret)) << secret;
  }
}

}  // namespace
}  // namespace aifd::services
