#include "aifd/config/base_url.hpp"

#include <gtest/gtest.h>

#include <array>

#include "aifd/config/redis_url.hpp"
#include "outbound_proxy.hpp"

namespace aifd::config {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view text;
  BaseUrl url;
  std::string_view authority;
  std::string_view shown;
};

class ParseBaseUrl : public testing::TestWithParam<Case> {};

TEST_P(ParseBaseUrl, TakesItApart) {
  const Result<BaseUrl> url = parse_base_url(GetParam().text);
  ASSERT_TRUE(url) << url.error().detail;
  EXPECT_EQ(*url, GetParam().url);
  EXPECT_EQ(url->authority(), GetParam().authority);
  EXPECT_EQ(url->to_string(), GetParam().shown);
  EXPECT_EQ(parse_base_url(url->to_string()).value(), *url);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseBaseUrl,
    testing::Values(
        Case{"https://api.openai.com",
             {true, "api.openai.com", 443, ""},
             "api.openai.com",
             "https://api.openai.com"},
        Case{"HTTPS://API.OpenAI.com:443/",
             {true, "api.openai.com", 443, ""},
             "api.openai.com",
             "https://api.openai.com"},
        Case{"http://localhost:11434/v1/",
             {false, "localhost", 11434, "/v1"},
             "localhost:11434",
             "http://localhost:11434/v1"},
        Case{"http://h//a//b//", {false, "h", 80, "/a/b"}, "h", "http://h/a/b"},
        Case{"https://h:80", {true, "h", 80, ""}, "h:80", "https://h:80"},
        Case{"http://10.0.0.1:8080",
             {false, "10.0.0.1", 8080, ""},
             "10.0.0.1:8080",
             "http://10.0.0.1:8080"},
        Case{"http://[2001:DB8::1]/v1",
             {false, "2001:db8::1", 80, "/v1"},
             "[2001:db8::1]",
             "http://[2001:db8::1]/v1"},
        Case{"http://[::1]:8080", {false, "::1", 8080, ""}, "[::1]:8080", "http://[::1]:8080"},
        Case{"http://my_service-1:8080",
             {false, "my_service-1", 8080, ""},
             "my_service-1:8080",
             "http://my_service-1:8080"},
        Case{"https://h/a%20b/@x:y;z,~!$&'()*+=",
             {true, "h", 443, "/a%20b/@x:y;z,~!$&'()*+="},
             "h",
             "https://h/a%20b/@x:y;z,~!$&'()*+="},
        Case{"https://h/v1.5/...", {true, "h", 443, "/v1.5/..."}, "h", "https://h/v1.5/..."}));

TEST(ParseBaseUrlErrors, RefusesWhatCannotBeMeant) {
  const std::string long_label(64, 'a');
  const std::array cases{
      std::pair{""sv, "scheme"sv},
      std::pair{"api.openai.com"sv, "scheme"sv},
      std::pair{"//api.openai.com"sv, "scheme"sv},
      std::pair{"ftp://h"sv, "other than http"sv},
      std::pair{"https:/h"sv, "scheme"sv},
      std::pair{"https://"sv, "no host"sv},
      std::pair{"https:///v1"sv, "no host"sv},
      std::pair{"https://:443"sv, "no host"sv},
      std::pair{"https://user:pass@h"sv, "password"sv},
      std::pair{"https://@h"sv, "password"sv},
      std::pair{"https://h?key=secret"sv, "query"sv},
      std::pair{"https://h/v1#x"sv, "query or fragment"sv},
      std::pair{"https://h:0"sv, "port"sv},
      std::pair{"https://h:"sv, "port"sv},
      std::pair{"https://h:65536"sv, "port"sv},
      std::pair{"https://h:80x"sv, "port"sv},
      std::pair{"https://h:-1"sv, "port"sv},
      std::pair{"https://h ost"sv, "space"sv},
      std::pair{"https://h/\x7f"sv, "control"sv},
      std::pair{"https://h\0.com"sv, "control"sv},
      std::pair{"https://h\n"sv, "control"sv},
      std::pair{"https://\xc3\xa4.de"sv, "outside ASCII"sv},
      std::pair{"https://h..com"sv, "host"sv},
      std::pair{"https://.h"sv, "host"sv},
      std::pair{"https://h."sv, "host"sv},
      std::pair{"https://-h"sv, "host"sv},
      std::pair{"https://a%41.com"sv, "host"sv},
      std::pair{"https://a,b"sv, "host"sv},
      std::pair{"https://256.1.1.1"sv, "IPv4"sv},
      std::pair{"https://1.2.3"sv, "IPv4"sv},
      std::pair{"https://::1"sv, "host"sv},
      std::pair{"https://[::1"sv, "bracket"sv},
      std::pair{"https://[10.0.0.1]"sv, "brackets"sv},
      std::pair{"https://[::1]x"sv, "port"sv},
      std::pair{"https://h/a/../b"sv, "\"..\""sv},
      std::pair{"https://h/."sv, "\".\""sv},
      std::pair{"https://h/%2e%2E/b"sv, "\"..\""sv},
      std::pair{"https://h/.%2e"sv, "\"..\""sv},
      std::pair{"https://h/%zz"sv, "percent sign"sv},
      std::pair{"https://h/%2"sv, "percent sign"sv},
      std::pair{"https://h/%00"sv, "percent sign"sv},
      std::pair{"https://h/a\\b"sv, "percent-encoded"sv},
      std::pair{"https://h\\b"sv, "percent-encoded"sv},
      std::pair{"https://h/<a>"sv, "percent-encoded"sv},
  };
  for (const auto& [text, why] : cases) {
    const Result<BaseUrl> url = parse_base_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_NE(url.error().detail.find(why), std::string::npos)
        << text << ": " << url.error().detail;
    EXPECT_EQ(url.error().detail.find("secret"), std::string::npos);
    EXPECT_EQ(url.error().detail.find("pass@"), std::string::npos);
  }
  EXPECT_FALSE(parse_base_url("https://" + long_label));
}

TEST(ParseRedisUrl, ReadsEveryPart) {
  const RedisUrl url = parse_redis_url("rediss://us%40er:p%3Ass@Cache.example:6380/3").value();
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "cache.example");
  EXPECT_EQ(url.port, 6380);
  EXPECT_EQ(url.user, "us@er");
  EXPECT_EQ(url.password.reveal(), "p:ss");
  EXPECT_EQ(url.database, 3U);
  EXPECT_EQ(url.to_string(), "rediss://us@er:***@cache.example:6380/3");
}

TEST(ParseRedisUrl, HasDefaults) {
  const RedisUrl url = parse_redis_url("redis://[::1]/").value();
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.port, 6379);
  EXPECT_TRUE(url.user.empty());
  EXPECT_TRUE(url.password.empty());
  EXPECT_EQ(url.database, 0U);
  EXPECT_EQ(url.to_string(), "redis://[::1]:6379");
  EXPECT_EQ(parse_redis_url("redis://:pw@h").value().to_string(), "redis://:***@h:6379");
  EXPECT_EQ(parse_redis_url("redis://us:pw@[::1]:7/2").value().place(), "[::1]:7");
}

TEST(ParseRedisUrl, RefusesTheRest) {
  for (const std::string_view text :
       {"http://h", "redis+sentinel://h", "memcached://h", "redis://", "redis://h/x",
        "redis://h/1/2", "redis://h?db=1", "redis://h:x", "redis://a%zz@h", "h:6379",
        "redis://h/65536"}) {
    EXPECT_FALSE(parse_redis_url(text)) << text;
  }
}

TEST(ParseOutboundProxy, ReadsEveryPart) {
  const OutboundProxy proxy = parse_outbound_proxy("http://us%40er:p%25@proxy:3128/").value();
  EXPECT_EQ(proxy.host, "proxy");
  EXPECT_EQ(proxy.port, 3128);
  EXPECT_EQ(proxy.credentials.reveal(), "us@er:p%");
  EXPECT_EQ(show_outbound_proxy(proxy), "http://us@er:***@proxy:3128");
}

TEST(ParseOutboundProxy, SchemeAndPortMayBeMissing) {
  const OutboundProxy proxy = parse_outbound_proxy("proxy.example").value();
  EXPECT_EQ(proxy.port, 80);
  EXPECT_TRUE(proxy.credentials.empty());
  EXPECT_EQ(show_outbound_proxy(proxy), "http://proxy.example:80");
}

TEST(ParseOutboundProxy, RefusesTheRest) {
  for (const std::string_view text : {"socks5://h:1080", "https://h:3128", "http://h:3128/path",
                                      "http://h:x", "http://", "http://u%zz@h", "http://h h"}) {
    EXPECT_FALSE(parse_outbound_proxy(text)) << text;
  }
}

}  // namespace
}  // namespace aifd::config
