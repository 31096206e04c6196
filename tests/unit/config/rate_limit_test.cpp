#include "aifd/config/rate_limit.hpp"

#include <gtest/gtest.h>

#include <array>

namespace aifd::config {
namespace {

using std::chrono::seconds;

struct Case {
  std::string_view text;
  RateLimits limits;
  std::string_view shown;
};

class ParseRateLimits : public testing::TestWithParam<Case> {};

TEST_P(ParseRateLimits, ReadsTheNotation) {
  const Result<RateLimits> limits = parse_rate_limits(GetParam().text);
  ASSERT_TRUE(limits) << limits.error().detail;
  EXPECT_EQ(*limits, GetParam().limits);
  EXPECT_EQ(to_string(*limits), GetParam().shown);
}

TEST_P(ParseRateLimits, ReadsWhatItWrites) {
  EXPECT_EQ(parse_rate_limits(to_string(GetParam().limits)).value(), GetParam().limits);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ParseRateLimits,
    testing::Values(
        Case{"inf", {}, "inf"}, Case{" INF ", {}, "inf"}, Case{"", {}, "inf"},
        Case{"1/second", {{1, seconds(1)}}, "1/second"},
        Case{"20/second", {{20, seconds(1)}}, "20/second"},
        Case{"100/2minutes", {{100, seconds(120)}}, "100/2minutes"},
        Case{"100 / 2 Minutes", {{100, seconds(120)}}, "100/2minutes"},
        Case{"1 per 10 second", {{1, seconds(10)}}, "1/10seconds"},
        Case{"1PER SECOND", {{1, seconds(1)}}, "1/second"},
        Case{"10perhour", {{10, seconds(3600)}}, "10/hour"},
        Case{"60/minute;600/hour", {{60, seconds(60)}, {600, seconds(3600)}}, "60/minute;600/hour"},
        Case{"60/minute , 600/hour",
             {{60, seconds(60)}, {600, seconds(3600)}},
             "60/minute;600/hour"},
        Case{"60/minute|600/hour", {{60, seconds(60)}, {600, seconds(3600)}}, "60/minute;600/hour"},
        Case{"5/day", {{5, seconds(86'400)}}, "5/day"},
        Case{"5/months", {{5, seconds(30 * 86'400)}}, "5/month"},
        Case{"5/year", {{5, seconds(360 * 86'400)}}, "5/year"},
        Case{"5/7days", {{5, seconds(7 * 86'400)}}, "5/7days"},
        Case{"5/90seconds", {{5, seconds(90)}}, "5/90seconds"},
        Case{"5/60seconds", {{5, seconds(60)}}, "5/minute"},
        Case{"1000000000000/second", {{1'000'000'000'000, seconds(1)}}, "1000000000000/second"}));

TEST(ParseRateLimitsErrors, SaysWhatIsWrongAndWhatIsAccepted) {
  const std::array cases{
      std::pair{"fast", "begin with a count"},
      std::pair{"/minute", "begin with a count"},
      std::pair{"-1/minute", "begin with a count"},
      std::pair{"0/minute", "the count must be"},
      std::pair{"1000000000001/second", "the count must be"},
      std::pair{"99999999999999999999/second", "begin with a count"},
      std::pair{"100", "must follow the count"},
      std::pair{"100 minutes", "must follow the count"},
      std::pair{"1.5/minute", "must follow the count"},
      std::pair{"100/", "its unit must be"},
      std::pair{"100/2", "its unit must be"},
      std::pair{"100/fortnight", "its unit must be"},
      std::pair{"100/minutess", "its unit must be"},
      std::pair{"100/s", "its unit must be"},
      std::pair{"100/0minutes", "its window must be"},
      std::pair{"100/101years", "its window must be"},
      std::pair{"100/99999999999999999999seconds", "its window must be"},
      std::pair{"60/minute;", "begin with a count"},
      std::pair{";60/minute", "begin with a count"},
      std::pair{"60/minute;inf", "begin with a count"},
      std::pair{"60/minute 600/hour", "its unit must be"},
  };
  for (const auto& [text, why] : cases) {
    const Result<RateLimits> limits = parse_rate_limits(text);
    ASSERT_FALSE(limits) << text;
    EXPECT_NE(limits.error().detail.find(why), std::string::npos) << limits.error().detail;
    EXPECT_NE(limits.error().detail.find("write it like"), std::string::npos);
  }
}

}  // namespace
}  // namespace aifd::config
