#include "aifd/base/local_time.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <regex>
#include <string>

namespace aifd {
namespace {

TEST(LocalTime, IsRfc3339WithMilliseconds) {
  const std::string now(timestamp_now());
  EXPECT_TRUE(
      std::regex_match(now, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)")))
      << now;
}

TEST(LocalTime, IsTheSystemsTime) {
  for (int tries = 0; tries < 3; ++tries) {  // a second may end between the two
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    char text[32];
    ASSERT_GT(std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local), 0U);
    if (timestamp_now().starts_with(text)) return;
  }
  FAIL() << timestamp_now();
}

}  // namespace
}  // namespace aifd
