#include "aifd/protocol/retry_after.hpp"

#include <gtest/gtest.h>

namespace aifd::protocol {
namespace {

constexpr std::time_t kNow = 784111770;  // Sun, 06 Nov 1994 08:49:30 GMT

TEST(RetryAfter, ReadsMillisecondsSecondsAndDates) {
  struct Case {
    std::string_view in_ms, plain;
    std::optional<long> wait_ms;
  };
  const Case cases[] = {
      {"", "", std::nullopt},
      {"", "7", 7000},
      {"", "0", 0},
      {"", "1.5", 1500},
      {"250", "7", 250},
      {"0.2", "", 1},
      {"x", "7", 7000},
      {"-1", "7", 7000},
      {"", "-7", std::nullopt},
      {"", "7 s", std::nullopt},
      {"", "nan", std::nullopt},
      {"", "inf", std::nullopt},
      {"", "1e3", std::nullopt},
      {"", "99999999999999999999999", 86'400'000},
      {"99999999999999999999", "", 86'400'000},
      {"", "Sun, 06 Nov 1994 08:49:37 GMT", 7000},
      {"", "Sun, 06 Nov 1994 08:49:00 GMT", 0},
      {"", "Sun, 06 Nov 2094 08:49:37 GMT", 86'400'000},
      {"", "Sun, 06 Nov 1994 08:49:37", std::nullopt},
      {"", "Sun, 06 Nov 1994 08:49:37 GMT+1", std::nullopt},
      {"", "tomorrow", std::nullopt},
  };
  for (const Case& c : cases) {
    Fields fields;
    if (!c.in_ms.empty()) fields.add("Retry-After-Ms", c.in_ms);
    if (!c.plain.empty()) fields.add("retry-after", c.plain);
    const auto wait = retry_after(fields, kNow);
    EXPECT_EQ(wait.has_value(), c.wait_ms.has_value()) << c.in_ms << "|" << c.plain;
    if (wait && c.wait_ms) {
      EXPECT_EQ(wait->count(), *c.wait_ms) << c.in_ms << "|" << c.plain;
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
