#include "aifd/protocol/forwarded.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aifd::protocol {
namespace {

// All addresses, nearest first.
std::string hops(const Fields& fields) {
  ForwardedHops hops(fields);
  std::string text;
  while (const auto address = hops.next()) text += (text.empty() ? "" : " ") + address->to_string();
  EXPECT_FALSE(hops.next());
  return text;
}

std::string hops(std::string_view name, const std::vector<std::string_view>& values) {
  Fields fields;
  fields.add("Host", "203.0.113.255");
  for (const std::string_view value : values) {
    fields.add(name, value);
    fields.add("X-Real-IP", "203.0.113.254");
  }
  return hops(fields);
}

struct Case {
  std::vector<std::string_view> values;  // one field each
  std::string hops;
};

TEST(Forwarded, IsReadFromTheRight) {
  const Case cases[] = {
      {{}, ""},
      {{""}, ""},
      {{" , ;, "}, ""},
      {{"for=192.0.2.1"}, "192.0.2.1"},
      {{"for=\"192.0.2.1\""}, "192.0.2.1"},
      {{"FOR=192.0.2.1"}, "192.0.2.1"},
      {{"For=192.0.2.1;Proto=https;BY=192.0.2.9"}, "192.0.2.1"},
      {{"proto=https;by=192.0.2.9;for=192.0.2.1"}, "192.0.2.1"},
      {{"host=\"a,b;for=9.9.9.9\";for=192.0.2.1"}, "192.0.2.1"},
      {{R"(host="a\",for=9.9.9.9\\";for=192.0.2.1)"}, "192.0.2.1"},
      {{"for=192.0.2.1 ; proto=https"}, "192.0.2.1"},
      {{"for=192.0.2.1;"}, "192.0.2.1"},
      {{";;for=192.0.2.1"}, "192.0.2.1"},
      {{"for=192.0.2.1;ext=\"\""}, "192.0.2.1"},
      {{"for=\"192.0.2.1:4711\""}, "192.0.2.1"},
      {{"for=\"192.0.2.1:_hidden-1.x_\""}, "192.0.2.1"},
      {{"for=\"[2001:db8::1]\""}, "2001:db8::1"},
      {{"for=\"[2001:db8::1]:4711\""}, "2001:db8::1"},
      {{"for=\"[::ffff:192.0.2.1]\""}, "192.0.2.1"},
      {{"for=192.0.2.1,for=192.0.2.2"}, "192.0.2.2 192.0.2.1"},
      {{"for=192.0.2.1 ,\tfor=192.0.2.2"}, "192.0.2.2 192.0.2.1"},
      {{"for=192.0.2.1, , for=192.0.2.2,"}, "192.0.2.2 192.0.2.1"},
      {{"for=192.0.2.1", "for=192.0.2.2, for=192.0.2.3"}, "192.0.2.3 192.0.2.2 192.0.2.1"},
      {{"for=192.0.2.1", "", "for=192.0.2.2"}, "192.0.2.2 192.0.2.1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(hops("forwarded", c.values), c.hops) << testing::PrintToString(c.values);
  }
}

TEST(Forwarded, EndsAtWhatNamesNoAddress) {
  const std::string_view elements[] = {
      "for=unknown",
      "for=_hidden",
      "for=\"_hidden:4711\"",
      "proto=https",
      "by=192.0.2.1",
      "192.0.2.1",
      "for",
      "for=",
      "=192.0.2.1",
      "for=\"\"",
      "for =192.0.2.1",
      "for= 192.0.2.1",
      "for=192.0.2.1 proto=https",
      "for=192.0.2.1;for=192.0.2.1",
      "for=192.0.2.1;FOR=unknown",
      "for=192.0.2.1;proto",
      "for=192.0.2.1;proto=\"https",
      "for=192.0.2.1:4711",
      "for=[2001:db8::1]",
      "for=2001:db8::1",
      "for=\"2001:db8::1\"",
      "for=\"[192.0.2.1]\"",
      "for=\"[2001:db8::1\"",
      "for=\"[2001:db8::1]x\"",
      "for=\"[2001:db8::1]:\"",
      "for=\"[]\"",
      "for=\"192.0.2.1:\"",
      "for=\"192.0.2.1:65536\"",
      "for=\"192.0.2.1:1x\"",
      "for=\"192.0.2.1:_\"",
      "for=\"192.0.2.1:_a b\"",
      "for=\" 192.0.2.1\"",
      "for=\"192.0.2.1\"x",
      "for=\"192.0.2.1",
      "for=192.0.2.1\"",
      R"(for="192.0.2\.1")",
      R"(for="192.0.2.1\")",
      "for=192.0.2.256",
      "for=192.0.2.01",
      "for=192.0.2.0/24",
      "for=localhost",
      "xfor=192.0.2.1",
      "for*=192.0.2.1",
  };
  for (const std::string_view element : elements) {
    const std::string behind_another = "for=192.0.2.8, " + std::string(element) + ", for=192.0.2.9";
    EXPECT_EQ(hops("Forwarded", {element}), "") << element;
    EXPECT_EQ(hops("Forwarded", {"for=192.0.2.8", element, "for=192.0.2.9"}), "192.0.2.9")
        << element;
    const std::string found = hops("Forwarded", {behind_another});
    EXPECT_TRUE(found.starts_with("192.0.2.9")) << element;
    EXPECT_EQ(found.find("192.0.2.1"), std::string::npos) << element;
  }
}

TEST(Forwarded, ACallersForgeryDoesNotHideWhatAProxyWrote) {
  for (const std::string_view forgery :
       {"for=\"", "\"", "for=\"a", "for=\"a\\", "for=\"\\\"", "for=\"1.1.1.1\";x=\"", ";", ",",
        "for=\"a, ", "for=1.1.1.1, for=\"1.1.1.2", "\\", "\\\"", "x=\"\\\\\""}) {
    for (const std::string_view written :
         {"for=192.0.2.9", "for=\"192.0.2.9\"", "proto=https;for=\"192.0.2.9:80\";host=\"a,b\"",
          R"(for=192.0.2.9;host="\",\\")"}) {
      const std::string value = std::string(forgery) + ", " + std::string(written);
      const std::string found = hops("Forwarded", {value});
      EXPECT_TRUE(found == "192.0.2.9" || found.starts_with("192.0.2.9 "))
          << value << ": " << found;
    }
  }
}

TEST(ForwardedFor, IsReadFromTheRight) {
  const Case cases[] = {
      {{}, ""},
      {{"192.0.2.1"}, "192.0.2.1"},
      {{"192.0.2.1, 2001:db8::1 ,[2001:db8::2]:1,[2001:db8::3], 192.0.2.2:80"},
       "192.0.2.2 2001:db8::3 2001:db8::2 2001:db8::1 192.0.2.1"},
      {{"192.0.2.1", "192.0.2.2,,"}, "192.0.2.2 192.0.2.1"},
      {{"192.0.2.1, unknown, 192.0.2.2"}, "192.0.2.2"},
      {{"192.0.2.1, \", 192.0.2.2"}, "192.0.2.2"},
      {{"for=192.0.2.1"}, ""},
      {{"192.0.2.1:"}, ""},
      {{"192.0.2.1:99999"}, ""},
      {{"\"192.0.2.1\""}, ""},
      {{"[2001:db8::1"}, ""},
      {{":80"}, ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(hops("x-forwarded-for", c.values), c.hops) << testing::PrintToString(c.values);
  }
}

TEST(ForwardedFor, CountsWhereBothAreThere) {
  Fields fields;
  fields.add("Forwarded", "for=192.0.2.1");
  fields.add("X-Forwarded-For", "192.0.2.2");
  fields.add("Forwarded", "for=192.0.2.3");
  EXPECT_EQ(hops(fields), "192.0.2.2");
  fields.set("X-Forwarded-For", "");
  EXPECT_EQ(hops(fields), "");
}

TEST(Forwarded, IsLinearInWhatIsHostile) {
  for (const char c : {'"', '\\', ',', ';', 'a', ' ', '=', '['}) {
    for (const std::string_view start : {"", "for=", "for=\"", "for=\"["}) {
      const std::string value = std::string(start) + std::string(4 << 20, c);
      EXPECT_EQ(hops("Forwarded", {value}), "");
      EXPECT_EQ(hops("X-Forwarded-For", {value}), "");
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
