#include "aifd/protocol/target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

TEST(ParseTarget, NormalisesThePathAndLeavesTheRest) {
  const struct {
    std::string target;
    std::string path;
    std::string query;
    bool has_query = false;
  } cases[] = {
      {"/", "/", ""},
      {"//", "/", ""},
      {"////", "/", ""},
      {"/a", "/a", ""},
      {"/a/", "/a", ""},
      {"/a//", "/a", ""},
      {"//a///b//", "/a/b", ""},
      {"/v1/models", "/v1/models", ""},
      {"/a?", "/a", "", true},
      {"/a/?x//y/", "/a", "x//y/", true},
      {"/a?b?c", "/a", "b?c", true},
      {"/?q=%zz&r=\\", "/", "q=%zz&r=\\", true},
      {"/a?b=../..", "/a", "b=../..", true},
      {"/a%2fb", "/a%2fb", ""},
      {"/a%2F%2Fb", "/a%2F%2Fb", ""},
      {"/a%20b/%C3%A9", "/a%20b/%C3%A9", ""},
      {"/v1beta/models/x:generateContent", "/v1beta/models/x:generateContent", ""},
      {"/a/.b/..c/d./e../...", "/a/.b/..c/d./e../...", ""},
      {"/...", "/...", ""},
      {"/.a;b/c;..", "/.a;b/c;..", ""},
      {"/%2e%2e%2e", "/%2e%2e%2e", ""},
      {"/a|b{c}^`\"<>", "/a|b{c}^`\"<>", ""},
      {"http://a", "/", ""},
      {"http://a/", "/", ""},
      {"http://a/b//c/?d", "/b/c", "d", true},
      {"https://a:443?x=1", "/", "x=1", true},
      {"/http://b/c", "/http:/b/c", ""},
      {"*", "*", ""},
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c.target);
    ASSERT_TRUE(target) << c.target << target.error().detail;
    EXPECT_EQ(target->path, c.path) << c.target;
    EXPECT_EQ(target->query, c.query) << c.target;
    EXPECT_EQ(target->has_query, c.has_query) << c.target;
  }
}

TEST(ParseTarget, RefusesWhatAnUpstreamMightReadOtherwise) {
  const std::string cases[] = {
      ""s,
      "a"s,
      "a/b"s,
      "?x"s,
      "?x=http://a/b"s,
      "ftp://a/b"s,
      "x/http://a/b"s,
      "**"s,
      "/."s,
      "/.."s,
      "/../"s,
      "/./a"s,
      "/a/."s,
      "/a/.."s,
      "/a/../b"s,
      "/a/..?x"s,
      "/a//..//b"s,
      "/%2e"s,
      "/%2E%2e/a"s,
      "/.%2e/a"s,
      "/%2e./a"s,
      "/a%2f.."s,
      "/a%2f..%2fb"s,
      "/a%2F%2e%2E%2Fb"s,
      "/..%2fb"s,
      "/a%5c..%5Cb"s,
      "/..;/a"s,
      "/..;x=1/a"s,
      "/..%3B/a"s,
      "http://a/../b"s,
      "/a\\b"s,
      "/a\\..\\b"s,
      "/%"s,
      "/%2"s,
      "/%zz"s,
      "/%2g"s,
      "/a%"s,
      "/a%?b"s,
      "/a#b"s,
      "/a?b#c"s,
      "/a b"s,
      "/a?b c"s,
      "/a\tb"s,
      "/a\r\nX: y"s,
      "/a?b\nc"s,
      "/a\0b"s,
      "/a\x7F"s,
      "/caf\xC3\xA9"s,
      "/?q=\xFF"s,
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c);
    ASSERT_FALSE(target) << c;
    EXPECT_EQ(target.error().kind, ErrorKind::bad_request) << c;
    EXPECT_EQ(target.error().source, ErrorSource::client) << c;
    EXPECT_TRUE(target.error().detail.ends_with('.')) << c;
  }
}

TEST(ParseTarget, IsStable) {
  for (const std::string text : {"//a///b//", "/a%2fb/", "/", "/x;y/z"}) {
    const std::string once = parse_target(text)->path;
    EXPECT_EQ(parse_target(once)->path, once);
  }
}

TEST(ComparablePath, IsOneForAllThatSomeServerTakesForTheSame) {
  const char* const same[] = {"/v1/chat",       "/v1/ch%61t",   "/%76%31/chat",  "/v1%2Fchat",
                              "/v1%2fchat",     "/v1/chat%2F",  "/v1%2F%2Fchat", "/V1/Chat",
                              "/v1/%43hat",     "/v1/chat;x=1", "/v1;x/chat;",   "/v1%5cchat",
                              "/v1/chat%3Bx=1", "/v1/chat/"};
  for (const char* path : same) {
    EXPECT_EQ(comparable_path(path), "/v1/chat") << path;
    EXPECT_EQ(is_comparable(path),
              std::string_view(path) == "/v1/chat" || std::string_view(path) == "/v1/chat/")
        << path;
  }
  EXPECT_EQ(comparable_path("/a%2561"), "/a%61");
  EXPECT_EQ(comparable_path("/a%%4"), "/a%%4");
  EXPECT_EQ(comparable_path("/"), "/");
  EXPECT_EQ(comparable_path(""), "");
}

TEST(Covers, CountsWholeSegments) {
  EXPECT_TRUE(covers("/", "/"));
  EXPECT_TRUE(covers("/", "/a"));
  EXPECT_TRUE(covers("/a", "/a"));
  EXPECT_TRUE(covers("/a", "/a/b"));
  EXPECT_TRUE(covers("/a/b", "/a/b/c"));
  EXPECT_FALSE(covers("/a", "/"));
  EXPECT_FALSE(covers("/a", "/ab"));
  EXPECT_FALSE(covers("/a", "/A"));
  EXPECT_FALSE(covers("/a", "/a%2fb"));
  EXPECT_FALSE(covers("/a/b", "/a"));
  EXPECT_FALSE(covers("/", "*"));
}

TEST(JoinTarget, PutsThePathBelowTheBase) {
  const struct {
    std::string_view base;
    std::string_view prefix;
    std::string target;
    std::string joined;
  } cases[] = {
      {"/api", "/localai", "/localai/v1/models?a=b", "/api/v1/models?a=b"},
      {"/api", "/localai", "/localai", "/api"},
      {"/api", "/localai", "/localai?", "/api?"},
      {"", "/localai", "/localai", "/"},
      {"", "/localai", "/localai/?x", "/?x"},
      {"", "/", "/", "/"},
      {"", "/", "/v1/models", "/v1/models"},
      {"/v1", "/", "/models", "/v1/models"},
      {"/v1", "/", "/", "/v1"},
      {"/v1/", "/", "/models", "/v1/models"},
      {"/", "/", "/models", "/models"},
      {"/", "/", "/", "/"},
      {"", "/a", "/a%2f", "/a%2f"},
      {"", "/a/b", "/a/b/c%20d", "/c%20d"},
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c.target);
    ASSERT_TRUE(target) << c.target;
    EXPECT_EQ(join_target(c.base, c.prefix, *target), c.joined) << c.base << ' ' << c.target;
  }
}

TEST(QueryParameter, GivesTheFirstAsItCame) {
  EXPECT_EQ(query_parameter("a=1&key=%20x&key=2", "key"), "%20x");
  EXPECT_EQ(query_parameter("key=1=2&", "key"), "1=2");
  EXPECT_EQ(query_parameter("xkey=1&keyx=2", "key"), "");
  EXPECT_EQ(query_parameter("key&key=2", "key"), "");
  EXPECT_EQ(query_parameter("&&key=2", "key"), "2");
  EXPECT_EQ(query_parameter("", "key"), "");
}

TEST(RedactQuery, HidesSecretsInEverySpelling) {
  const struct {
    std::string_view query;
    std::string_view redacted;
  } cases[] = {
      {"", ""},
      {"a=b&c", "a=b&c"},
      {"key=s3cret", "key=***"},
      {"alt=sse&KEY=s&x=1", "alt=sse&KEY=***&x=1"},
      {"api_key=s&api-key=s&token=s", "api_key=***&api-key=***&token=***"},
      {"access_token=s&sig=s&Signature=s", "access_token=***&sig=***&Signature=***"},
      {"k%65y=s", "k%65y=***"},
      {"%6B%65%79=s", "%6B%65%79=***"},
      {"%6b%zzy=s", "%6b%zzy=s"},
      {"key=a=b", "key=***"},
      {"key=", "key=***"},
      {"key", "key"},
      {"a=b;key=s", "a=b;key=***"},
      {"key=s;x&&", "key=***&&"},
      {"key=s;token=t;x&a", "key=***&a"},
      {"monkey=1&keys=2&max_tokens=3&encode=4", "monkey=1&keys=2&max_tokens=3&encode=4"},
      {"subscription-key=s&X-Amz-Signature=s&code=s",
       "subscription-key=***&X-Amz-Signature=***&code=***"},
      {"x-goog-signature=s&apikey=s&client%5Fsecret=s",
       "x-goog-signature=***&apikey=***&client%5Fsecret=***"},
  };
  for (const auto& c : cases) EXPECT_EQ(redact_query(c.query), c.redacted) << c.query;
}

}  // namespace
}  // namespace aifd::protocol
