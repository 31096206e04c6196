#include <gtest/gtest.h>

#include "aifd/middleware/ip_filter.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::ip;
using test::TestExchange;

CidrSet blocks(const std::vector<std::string>& texts) {
  std::vector<Cidr> parsed;
  for (const std::string& text : texts) parsed.push_back(parse_cidr(text).value());
  return CidrSet(std::move(parsed));
}

const std::vector<std::string> kTrusted{"127.0.0.1/32", "::1/128", "10.0.0.0/8"};

TEST(CallerAddress, FollowsTheTable) {
  struct Case {
    const char* name;
    std::string_view peer;
    std::vector<std::string_view> forwarded_for;  // one field each
    std::string_view caller;
  };
  const Case cases[] = {
      {"no field", "127.0.0.1", {}, "127.0.0.1"},
      {"untrusted peer", "203.0.113.9", {"198.51.100.1"}, "203.0.113.9"},
      {"untrusted IPv6 peer", "2001:db8::9", {"198.51.100.1"}, "2001:db8::9"},
      {"trusted peer", "127.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
      {"trusted IPv6 peer", "::1", {"198.51.100.1"}, "198.51.100.1"},
      {"trusted peer, v4-mapped", "::ffff:127.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
      {"right-most counts", "127.0.0.1", {"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
      {"behind two proxies", "127.0.0.1", {"1.1.1.1, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
      {"several fields are one list",
       "127.0.0.1",
       {"1.1.1.1", "198.51.100.1", "10.0.0.2"},
       "198.51.100.1"},
      {"all trusted", "127.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
      {"garbage at the right", "127.0.0.1", {"198.51.100.1, unknown"}, "127.0.0.1"},
      {"garbage behind a trusted one", "127.0.0.1", {"198.51.100.1, what, 10.0.0.2"}, "10.0.0.2"},
      {"garbage at the left", "127.0.0.1", {"what, 198.51.100.1"}, "198.51.100.1"},
      {"empty", "127.0.0.1", {""}, "127.0.0.1"},
      {"only commas", "127.0.0.1", {" , ,"}, "127.0.0.1"},
      {"empty elements", "127.0.0.1", {"198.51.100.1, ,"}, "198.51.100.1"},
      {"with a port", "127.0.0.1", {"198.51.100.1:4711"}, "198.51.100.1"},
      {"IPv6", "127.0.0.1", {"2001:db8::1"}, "2001:db8::1"},
      {"IPv6 in brackets", "127.0.0.1", {"[2001:db8::1]"}, "2001:db8::1"},
      {"IPv6 with a port", "127.0.0.1", {"[2001:db8::1]:4711"}, "2001:db8::1"},
      {"open bracket", "127.0.0.1", {"[2001:db8::1"}, "127.0.0.1"},
      {"v4-mapped is IPv4", "127.0.0.1", {"::ffff:198.51.100.1"}, "198.51.100.1"},
      {"v4-mapped proxy is trusted",
       "127.0.0.1",
       {"198.51.100.1, ::ffff:10.0.0.2"},
       "198.51.100.1"},
      {"a name is no address", "127.0.0.1", {"localhost"}, "127.0.0.1"},
      {"a block is no address", "127.0.0.1", {"198.51.100.0/24"}, "127.0.0.1"},
      {"tabs and spaces", "127.0.0.1", {"\t198.51.100.1 \t"}, "198.51.100.1"},
  };
  for (const Case& c : cases) {
    protocol::Fields fields;
    for (const std::string_view value : c.forwarded_for) fields.add("x-forwarded-for", value);
    EXPECT_EQ(caller_address(ip(c.peer), fields, blocks(kTrusted)).to_string(), c.caller) << c.name;
  }
}

TEST(CallerAddress, FollowsTheTableOfForwarded) {
  struct Case {
    const char* name;
    std::string_view peer;
    std::vector<std::string_view> forwarded;  // one field each
    std::string_view caller;
  };
  const Case cases[] = {
      {"untrusted peer", "203.0.113.9", {"for=198.51.100.1"}, "203.0.113.9"},
      {"trusted peer", "127.0.0.1", {"for=198.51.100.1"}, "198.51.100.1"},
      {"in capitals", "127.0.0.1", {"By=10.0.0.9;FOR=198.51.100.1"}, "198.51.100.1"},
      {"right-most counts", "127.0.0.1", {"for=1.1.1.1, for=198.51.100.1"}, "198.51.100.1"},
      {"behind two proxies",
       "127.0.0.1",
       {"for=1.1.1.1, for=198.51.100.1;proto=https, for=\"10.0.0.2:80\""},
       "198.51.100.1"},
      {"several fields are one list",
       "127.0.0.1",
       {"for=1.1.1.1", "for=198.51.100.1", "for=10.0.0.2"},
       "198.51.100.1"},
      {"all trusted", "127.0.0.1", {"for=10.0.0.3, for=10.0.0.2"}, "10.0.0.3"},
      {"unknown", "127.0.0.1", {"for=198.51.100.1, for=unknown"}, "127.0.0.1"},
      {"hidden, behind a trusted one",
       "127.0.0.1",
       {"for=198.51.100.1, for=_x1, for=10.0.0.2"},
       "10.0.0.2"},
      {"garbage at the left", "127.0.0.1", {"for=\"1.1.1.1, for=198.51.100.1"}, "198.51.100.1"},
      {"IPv6 with a port", "127.0.0.1", {"for=\"[2001:db8::1]:4711\""}, "2001:db8::1"},
      {"v4-mapped proxy is trusted",
       "127.0.0.1",
       {"for=198.51.100.1, for=\"[::ffff:10.0.0.2]\""},
       "198.51.100.1"},
  };
  for (const Case& c : cases) {
    protocol::Fields fields;
    for (const std::string_view value : c.forwarded) fields.add("forwarded", value);
    EXPECT_EQ(caller_address(ip(c.peer), fields, blocks(kTrusted)).to_string(), c.caller) << c.name;
    fields.add("X-Forwarded-For", "198.51.100.7");
    const bool trusted = blocks(kTrusted).contains(ip(c.peer));
    EXPECT_EQ(caller_address(ip(c.peer), fields, blocks(kTrusted)).to_string(),
              trusted ? "198.51.100.7" : c.caller)
        << c.name << ", and X-Forwarded-For";
  }
}

TEST(CallerAddress, BelievesNobodyWhereNobodyIsTrusted) {
  protocol::Fields fields;
  fields.add("X-Forwarded-For", "198.51.100.1");
  EXPECT_EQ(caller_address(ip("127.0.0.1"), fields, {}).to_string(), "127.0.0.1");
}

TEST(IpFilter, DecidesByBothLists) {
  struct Case {
    std::vector<std::string> allow, deny;
    std::string_view address;
    bool admitted;
  };
  const Case cases[] = {
      {{}, {}, "198.51.100.1", true},
      {{"198.51.100.0/24"}, {}, "198.51.100.1", true},
      {{"198.51.100.0/24"}, {}, "198.51.101.1", false},
      {{}, {"198.51.100.1"}, "198.51.100.1", false},
      {{}, {"198.51.100.1"}, "198.51.100.2", true},
      {{"198.51.100.0/24"}, {"198.51.100.7"}, "198.51.100.7", false},
      {{"198.51.100.7"}, {"198.51.100.0/24"}, "198.51.100.7", false},
      {{"2001:db8::/32"}, {}, "2001:db8::1", true},
      {{"2001:db8::/32"}, {}, "198.51.100.1", false},
      {{"0.0.0.0/0"}, {}, "::ffff:198.51.100.1", true},
      {{"::/0"}, {}, "198.51.100.1", false},
  };
  for (const Case& c : cases) {
    TestExchange exchange("GET /");
    exchange->client.peer = ip(c.address);
    const IpFilter filter(blocks(c.allow), blocks(c.deny), {});
    const auto verdict = exchange.run(filter);
    EXPECT_EQ(test::passed(verdict), c.admitted) << c.address;
    if (c.admitted) continue;
    EXPECT_TRUE(test::refused_as(verdict, ErrorKind::address_denied));
    EXPECT_NE(verdict.error().detail.find(ip(c.address).to_string()), std::string::npos);
  }
}

TEST(IpFilter, JudgesTheCallerBehindATrustedProxyAndNotesIt) {
  TestExchange exchange("GET /\nX-Forwarded-For: 1.1.1.1, 198.51.100.1");
  exchange->client.peer = ip("10.0.0.2");
  const IpFilter filter(blocks({"1.1.1.1"}), {}, blocks(kTrusted));
  EXPECT_TRUE(test::refused_as(exchange.run(filter), ErrorKind::address_denied))
      << "what the caller wrote itself does not let it in";
  EXPECT_EQ(exchange->client.address, ip("198.51.100.1"));
  EXPECT_EQ(exchange->client.peer, ip("10.0.0.2"));
}

}  // namespace
}  // namespace aifd::middleware
