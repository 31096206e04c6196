#include "aifd/net/outbound_proxy.hpp"

#include <gtest/gtest.h>

namespace aifd::net {
namespace {

config::OutboundProxy proxy(const std::string& host, const std::string& credentials = "") {
  return {host, 3128, Secret(credentials)};
}

config::Settings with_both() {
  config::Settings settings;
  settings.proxy = proxy("for-https");
  settings.http_proxy = proxy("for-http");
  return settings;
}

TEST(ProxyFor, IsNoneWhereNoneIsSet) {
  const config::Settings settings;
  EXPECT_EQ(proxy_for(settings, "api.example", true), nullptr);
  EXPECT_EQ(proxy_for(settings, "api.example", false), nullptr);
}

TEST(ProxyFor, IsByTheUpstreamsScheme) {
  const config::Settings settings = with_both();
  ASSERT_NE(proxy_for(settings, "api.example", true), nullptr);
  EXPECT_EQ(proxy_for(settings, "api.example", true)->host, "for-https");
  ASSERT_NE(proxy_for(settings, "api.example", false), nullptr);
  EXPECT_EQ(proxy_for(settings, "api.example", false)->host, "for-http");
}

TEST(ProxyFor, LeavesOutWhatNoProxyNames) {
  struct Case {
    std::string no_proxy;
    std::string_view host;
    bool direct;
  };
  const Case cases[] = {
      {"*", "api.example", true},
      {"*", "10.0.0.1", true},
      {"example.com", "example.com", true},
      {"example.com", "EXAMPLE.COM", true},
      {"Example.Com", "a.example.com", true},
      {"example.com", "a.b.example.com", true},
      {"example.com", "notexample.com", false},
      {"example.com", "example.com.evil.test", false},
      {"example.com", "example.org", false},
      {".example.com", "a.example.com", true},
      {".example.com", "example.com", true},
      {".example.com", "notexample.com", false},
      {"a.example.com", "example.com", false},
      {"localhost", "localhost", true},
      {"localhost", "my-localhost", false},
      {"", "example.com", false},
      {".", "example.com", false},
      {"10.1.2.3", "10.1.2.3", true},
      {"10.1.2.3", "10.1.2.4", false},
      {"10.0.0.0/8", "10.200.3.4", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.0.0.0/8", "10.example.com", false},
      {"3", "10.1.2.3", false},
      {".2.3", "10.1.2.3", false},
      {"::1", "::1", true},
      {"fd00::/8", "fd12::7", true},
      {"fd00::/8", "fe80::7", false},
      {"10.0.0.0/8", "::ffff:10.0.0.1", true},
  };
  for (const Case& c : cases) {
    config::Settings settings = with_both();
    settings.no_proxy = {"unrelated.test", c.no_proxy};
    EXPECT_EQ(proxy_for(settings, c.host, true) == nullptr, c.direct)
        << "NO_PROXY=" << c.no_proxy << " host=" << c.host;
  }
}

TEST(ProxyAuthorization, IsBasicOrNothing) {
  struct Case {
    std::string credentials;
    std::string_view header;
  };
  const Case cases[] = {
      {"", ""},
      {"Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},  // RFC 7617, section 2
      {"test:123\xC2\xA3", "Basic dGVzdDoxMjPCow=="},                 // RFC 7617, section 2.1
      {"a:", "Basic YTo="},
      {"a:b", "Basic YTpi"},
  };
  for (const Case& c : cases) EXPECT_EQ(proxy_authorization(proxy("p", c.credentials)), c.header);
}

}  // namespace
}  // namespace aifd::net
