#include "aifd/middleware/retry_fields.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using namespace std::chrono_literals;

TEST(ResetText, IsOpenAisNotationRoundedUp) {
  struct Case {
    Clock::duration wait;
    std::string_view text;
  };
  const Case cases[] = {
      {-1s, "0s"},
      {0s, "0s"},
      {1ns, "1ms"},
      {120ms, "120ms"},
      {120ms + 1ns, "121ms"},
      {999ms + 1us, "1s"},
      {1s, "1s"},
      {1s + 5ms, "1.005s"},
      {8640ms, "8.64s"},
      {12s, "12s"},
      {59s + 999ms, "59.999s"},
      {60s, "1m0s"},
      {359s + 1ms, "6m0s"},
      {6min, "6m0s"},
      {1h, "1h0m0s"},
      {90min + 5s, "1h30m5s"},
      {24h, "24h0m0s"},
      {24h * 365 * 100, "876000h0m0s"},
  };
  for (const Case& c : cases) EXPECT_EQ(reset_text(c.wait), c.text);
}

TEST(RetryFields, AreRoundedUpAndNeverZero) {
  struct Case {
    Clock::duration wait;
    std::string_view seconds;
    std::string_view millis;
    std::string_view should_retry;
  };
  const Case cases[] = {
      {0s, "1", "1", ""},
      {1ns, "1", "1", ""},
      {1500ms, "2", "1500", ""},
      {2s, "2", "2000", ""},
      {2s + 1ns, "3", "2001", ""},
      {60s, "60", "60000", ""},
      {60s + 1ns, "61", "60001", "false"},
      {1h, "3600", "3600000", "false"},
  };
  for (const Case& c : cases) {
    test::TestExchange exchange("GET /v1/models");
    protocol::Fields fields;
    add_retry_fields(*exchange, fields, c.wait);
    EXPECT_EQ(fields.get("Retry-After"), c.seconds);
    EXPECT_EQ(fields.get("retry-after-ms"), c.millis);
    EXPECT_EQ(fields.get("x-should-retry"), c.should_retry);
  }
}

}  // namespace
}  // namespace aifd::middleware
