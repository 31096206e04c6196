#include "aifd/services/limit_rules.hpp"

#include <gtest/gtest.h>

#include <set>

#include "aifd/protocol/target.hpp"

namespace aifd::services {
namespace {

config::RateLimits limits(const std::string& text) {
  return config::parse_rate_limits(text).value();
}

const config::RouteLimits kRoutes{
    {"/v1/chat/completions",
     {{0, limits("60/minute;600/hour")}, {std::nullopt, limits("15/minute")}}},
    {"/v1", {{std::nullopt, limits("100/2minutes")}, {2, limits("inf")}}},
    {"/v1/ch%61t", {{1, limits("7/minute")}}},
    {"/only", {{1, limits("1/second")}}},
    {"/free", {{std::nullopt, limits("inf")}}},
    {"/fr%65e/but%2fone", {{std::nullopt, limits("2/day")}}},
};
const std::vector<std::string> kPrefixes{"/", "/gemini"};

struct Case {
  std::string path, prefix;
  int level;
  std::string limits;  // "" where no limit holds
  std::string route;
};

void check(const LimitRules& rules, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.path + " by " + c.prefix + " at level " + std::to_string(c.level));
    const LimitRule* rule = rules.find(protocol::comparable_path(c.path), c.prefix, c.level);
    ASSERT_EQ(rule != nullptr, !c.limits.empty());
    if (rule == nullptr) continue;
    EXPECT_EQ(config::to_string(rule->limits), c.limits);
    EXPECT_EQ(rule->route, c.route);
  }
}

TEST(LimitRules, TakesTheLongestRouteOnWholeSegmentsAndItsEntryForTheLevel) {
  const LimitRules rules(kRoutes, limits("5/second"), kPrefixes);
  EXPECT_FALSE(rules.empty());
  check(rules, {
                   {"/v1/chat/completions", "/", 0, "60/minute;600/hour", "/v1/chat/completions"},
                   {"/v1/chat/completions", "/", 1, "15/minute", "/v1/chat/completions"},
                   {"/v1/chat/completions/x", "/", 9, "15/minute", "/v1/chat/completions"},
                   {"/v1/chat/completions2", "/", 1, "7/minute", "/v1/chat"},
                   {"/v1/chat", "/", 1, "7/minute", "/v1/chat"},
                   {"/v1/models", "/", 0, "100/2minutes", "/v1"},
                   {"/v1", "/", 1, "100/2minutes", "/v1"},
                   // No limit at this level is a limit's absence, not a reason to look further.
                   {"/v1/models", "/", 2, "", ""},
                   {"/free", "/", 0, "", ""},
                   {"/free/x", "/gemini", 3, "", ""},
                   {"/v12", "/", 0, "5/second", "/"},
               });
}

TEST(LimitRules, IsNotDodgedByAnotherSpellingOfThePath) {
  const LimitRules rules(kRoutes, {}, kPrefixes);
  check(rules, {
                   {"/v1/ch%61t/compl%65tions", "/", 1, "15/minute", "/v1/chat/completions"},
                   {"/%76%31/chat", "/", 1, "7/minute", "/v1/chat"},
                   {"/free/but%2Fone", "/", 0, "2/day", "/free/but%2Fone"},
                   {"/free/but%2fone", "/", 0, "2/day", "/free/but%2Fone"},
                   {"/free/but/one", "/", 0, "", ""},
               });
}

// uvicorn decodes "%2F" before it routes, ASP.NET takes any case, Tomcat cuts at ";".
TEST(LimitRules, IsNotDodgedByWhatALenientServerReadsAsThePath) {
  const LimitRules rules(kRoutes, {}, kPrefixes);
  for (const char* path :
       {"/v1/chat%2Fcompletions", "/v1%2fchat%2fcompletions", "/v1/chat/%2Fcompletions",
        "/v1/chat/completions%2F", "/v1/chat%5Ccompletions", "/V1/Chat/COMPLETIONS",
        "/v1/chat/completions;x=1", "/v1;a/chat%3Bb/completions/c", "/%561/chat%2Fcompletions"}) {
    check(rules, {{path, "/", 1, "15/minute", "/v1/chat/completions"}});
  }
  check(rules, {{"/v1/models/a%2Fb", "/", 0, "100/2minutes", "/v1"},
                {"/v12%2Fx", "/", 0, "", ""}});
}

TEST(LimitRules, ExactRoutesComeBeforeThoseOfALenientReading) {
  const LimitRules rules(
      {{"/A", {{std::nullopt, limits("1/day")}}}, {"/a", {{std::nullopt, limits("2/day")}}}}, {},
      kPrefixes);
  check(rules, {{"/a/x", "/", 0, "2/day", "/a"}, {"/A/x", "/", 0, "1/day", "/A"}});
}

TEST(LimitRules, FallsBackByPrefixWhereNoRouteHasASay) {
  const LimitRules rules(kRoutes, limits("5/second"), kPrefixes);
  check(rules, {
                   {"/other", "/", 0, "5/second", "/"},
                   {"/gemini/v1", "/gemini", 0, "5/second", "/gemini"},
                   {"/only", "/", 1, "1/second", "/only"},
                   {"/only", "/", 2, "5/second", "/"},
                   {"/other", "/unknown", 0, "", ""},
                   {"*", "", 0, "", ""},
               });
  EXPECT_NE(rules.find("/other", "/", 0)->id, rules.find("/other", "/gemini", 0)->id);
}

TEST(LimitRules, HasNoLimitWhereNoneIsSet) {
  const LimitRules none({}, {}, kPrefixes);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.find("/v1", "/", 0), nullptr);
  const LimitRules some(kRoutes, {}, kPrefixes);
  EXPECT_FALSE(some.empty());
  EXPECT_EQ(some.find("/only", "/", 2), nullptr);
  EXPECT_EQ(some.find("/other", "/", 0), nullptr);
}

TEST(LimitRules, GivesEveryRuleAnIdOfItsOwn) {
  const LimitRules rules(kRoutes, limits("5/second"), kPrefixes);
  std::set<std::uint32_t> ids;
  std::set<const LimitRule*> found;
  for (const std::string_view path : {"/v1/chat/completions", "/v1/chat", "/v1", "/only", "/x"}) {
    for (const std::string& prefix : kPrefixes) {
      for (int level = 0; level < 3; ++level) {
        const LimitRule* rule = rules.find(path, prefix, level);
        if (rule != nullptr && found.insert(rule).second) ids.insert(rule->id);
      }
    }
  }
  EXPECT_EQ(found.size(), 7u);
  EXPECT_EQ(ids.size(), found.size());
}

}  // namespace
}  // namespace aifd::services
