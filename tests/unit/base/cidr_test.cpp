#include "aifd/base/cidr.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace aifd {
namespace {

using namespace std::string_view_literals;

IpAddress address(std::string_view text) {
  return parse_ip_address(text).value();
}
Cidr cidr(std::string_view text) {
  return parse_cidr(text).value();
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  for (const std::string text :
       {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4"}) {
    const Result<IpAddress> parsed = parse_ip_address(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->to_string(), text);
  }
}

TEST(IpAddress, WritesEachByte) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::string text = "10." + std::to_string(byte) + ".0." + std::to_string(byte);
    EXPECT_EQ(address(text).to_string(), text);
  }
}

TEST(IpAddress, MappedFormIsTheSameAddress) {
  EXPECT_EQ(address("::ffff:10.0.0.1"), address("10.0.0.1"));
  EXPECT_EQ(address("::FFFF:a00:1"), address("10.0.0.1"));
  EXPECT_EQ(address("::ffff:10.0.0.1").to_string(), "10.0.0.1");
  EXPECT_TRUE(address("::ffff:10.0.0.1").is_v4());
  EXPECT_FALSE(address("::10.0.0.1").is_v4());
}

TEST(IpAddress, RefusesEverythingElse) {
  const std::string long_text(100, '1');
  for (const std::string_view text :
       {std::string_view{}, ""sv, " "sv, "10.0.0"sv, "10.0.0.256"sv, "010.0.0.1"sv, "10.0.0.1 "sv,
        " 10.0.0.1"sv, "10.0.0.1:80"sv, "[::1]"sv, "::1%lo"sv, "::1::2"sv, "localhost"sv,
        "10.0.0.1\0x"sv, "1.2.3.4.5"sv, "0x7f.0.0.1"sv, "12345::"sv, std::string_view(long_text)}) {
    EXPECT_FALSE(parse_ip_address(text)) << text;
  }
}

struct Membership {
  std::string_view block;
  std::string_view address;
  bool inside;
};

class CidrContains : public testing::TestWithParam<Membership> {};

TEST_P(CidrContains, TellsInsideFromOutside) {
  EXPECT_EQ(cidr(GetParam().block).contains(address(GetParam().address)), GetParam().inside);
}

INSTANTIATE_TEST_SUITE_P(Cases, CidrContains,
                         testing::Values(Membership{"10.0.0.0/8", "10.255.255.255", true},
                                         Membership{"10.0.0.0/8", "11.0.0.0", false},
                                         Membership{"10.0.0.0/8", "9.255.255.255", false},
                                         Membership{"10.0.0.0/9", "10.127.0.1", true},
                                         Membership{"10.0.0.0/9", "10.128.0.0", false},
                                         Membership{"192.168.1.7", "192.168.1.7", true},
                                         Membership{"192.168.1.7", "192.168.1.6", false},
                                         Membership{"192.168.1.6/31", "192.168.1.7", true},
                                         Membership{"0.0.0.0/0", "203.0.113.9", true},
                                         Membership{"0.0.0.0/0", "2001:db8::1", false},
                                         Membership{"::/0", "2001:db8::1", true},
                                         Membership{"::/0", "203.0.113.9", false},
                                         Membership{"10.0.0.0/8", "::ffff:10.1.2.3", true},
                                         Membership{"::ffff:10.0.0.0/104", "10.1.2.3", true},
                                         Membership{"2001:db8::/32", "2001:db8:ffff::", true},
                                         Membership{"2001:db8::/32", "2001:db9::", false},
                                         Membership{"2001:db8::/33", "2001:db8:8000::", false},
                                         Membership{"::1", "::1", true},
                                         Membership{"::1", "127.0.0.1", false}));

TEST(Cidr, ComparesEachBitOfItsPrefixAndNoOther) {
  const IpAddress base = address("2001:db8:0:ff::5a");
  for (unsigned bits = 0; bits <= 128; ++bits) {
    for (unsigned flipped = 0; flipped < 128; ++flipped) {
      IpAddress other = base;
      other.bytes[flipped / 8] ^= static_cast<std::uint8_t>(0x80U >> flipped % 8);
      const Cidr block{base, bits};
      ASSERT_EQ(block.contains(other), flipped >= bits) << bits << ' ' << flipped;
    }
  }
}

TEST(Cidr, WritesWhatItRead) {
  for (const std::string text : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32"}) {
    EXPECT_EQ(cidr(text).to_string(), text);
  }
  EXPECT_EQ(cidr("10.0.0.1").to_string(), "10.0.0.1/32");
  EXPECT_EQ(cidr("::1").to_string(), "::1/128");
  EXPECT_EQ(cidr("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
}

TEST(Cidr, RefusesBadBlocksAndSaysWhy) {
  const std::array cases{
      std::pair{"10.0.0.0/33", "from 0 to 32"},  std::pair{"::/129", "from 0 to 128"},
      std::pair{"10.0.0.0/", "prefix length"},   std::pair{"10.0.0.0/-1", "prefix length"},
      std::pair{"10.0.0.0/8 ", "prefix length"}, std::pair{"10.0.0.0/8/8", "prefix length"},
      std::pair{"10.0.0.1/8", "is 10.0.0.0/8"},  std::pair{"2001:db8::1/64", "is 2001:db8::/64"},
      std::pair{"/8", "not an IP address"},      std::pair{"10.0.0.0/255.0.0.0", "prefix length"},
  };
  for (const auto& [text, why] : cases) {
    const Result<Cidr> block = parse_cidr(text);
    ASSERT_FALSE(block) << text;
    EXPECT_NE(block.error().detail.find(why), std::string::npos) << block.error().detail;
  }
}

TEST(CidrSet, HoldsWhatAnyBlockHolds) {
  const CidrSet set({cidr("10.0.0.0/8"), cidr("::1")});
  EXPECT_TRUE(set.contains(address("10.1.1.1")));
  EXPECT_TRUE(set.contains(address("::1")));
  EXPECT_FALSE(set.contains(address("11.1.1.1")));
  EXPECT_FALSE(set.empty());
  EXPECT_FALSE(CidrSet().contains(address("10.1.1.1")));
  EXPECT_TRUE(CidrSet().empty());
}

}  // namespace
}  // namespace aifd
