#include "aifd/services/route_table.hpp"

#include <gtest/gtest.h>

namespace aifd::services {
namespace {

config::Route route(const std::string& prefix, const std::string& base_url) {
  return {config::parse_base_url(base_url).value(), prefix, config::RouteType::openai};
}

TEST(RouteTable, TakesTheLongestPrefixOnWholeSegmentsInWhateverOrderTheyCome) {
  const RouteTable table({route("/", "https://root"), route("/a/b", "https://ab"),
                          route("/a", "https://a"), route("/a/b/c", "https://abc")});
  struct Case {
    std::string_view path, host;
  };
  const Case cases[] = {
      {"/", "root"},      {"/v1/models", "root"}, {"/a", "a"},       {"/a/", "a"},
      {"/a/v1", "a"},     {"/ab", "root"},        {"/a/b", "ab"},    {"/a/bc", "a"},
      {"/a/b/c", "abc"},  {"/a/b/c/d", "abc"},    {"/a/b/cd", "ab"}, {"/A", "root"},
      {"/a%2fb", "root"}, {"/b/a", "root"},       {"/a/c/b", "a"},
  };
  for (const Case& c : cases) {
    const RouteTable::Entry* entry = table.find(c.path);
    ASSERT_NE(entry, nullptr) << c.path;
    EXPECT_EQ(entry->route.base_url.host, c.host) << c.path;
  }
}

TEST(RouteTable, CoversNothingElseWithoutARootRoute) {
  const RouteTable table({route("/a", "https://a")});
  for (const std::string_view path : {"/", "/b", "/ab", "*", "/v1/a"}) {
    EXPECT_EQ(table.find(path), nullptr) << path;
  }
  EXPECT_EQ(RouteTable({}).find("/"), nullptr);
}

TEST(RouteTable, GivesTheServerAsTheUpstreamIsCalled) {
  const RouteTable table(
      {route("/", "https://api.example/v1"), route("/six", "http://[::1]:9000")});
  const chain::UpstreamServer plain = table.find("/")->server();
  EXPECT_EQ(plain.host, "api.example");
  EXPECT_EQ(plain.port, 443);
  EXPECT_TRUE(plain.tls);
  EXPECT_EQ(plain.authority, "api.example");
  const chain::UpstreamServer six = table.find("/six")->server();
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 9000);
  EXPECT_FALSE(six.tls);
  EXPECT_EQ(six.authority, "[::1]:9000");
}

TEST(RouteTable, NamesItsPrefixesForPeopleTheShortestFirst) {
  EXPECT_EQ(RouteTable({}).prefixes(), "");
  EXPECT_EQ(RouteTable({route("/gemini", "https://g"), route("/", "https://o")}).prefixes(),
            "/, /gemini");
}

}  // namespace
}  // namespace aifd::services
