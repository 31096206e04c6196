#include "aifd/middleware/client_gone.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using std::chrono::milliseconds;
using test::TestExchange;

chain::DrainBounds bounds_of(const std::map<std::string, config::ClientGone>& policies,
                             const std::string& path) {
  TestExchange exchange("POST " + path, "{}");
  EXPECT_TRUE(test::passed(exchange.run(ClientGone(policies))));
  return exchange->drain;
}

TEST(ClientGone, DrainsNothingWhereNoRouteSaysSo) {
  EXPECT_EQ(bounds_of({}, "/v1/x").most_bytes, 0U);
  EXPECT_EQ(bounds_of({{"/v2", {.drains = true}}}, "/v1/x").most_bytes, 0U);
  EXPECT_EQ(bounds_of({{"/", {}}}, "/v1/x").most_bytes, 0U);
}

TEST(ClientGone, TheLongestRouteCounts) {
  const std::map<std::string, config::ClientGone> policies{
      {"/", {.drains = true, .most_time = milliseconds(1), .most_bytes = 10}},
      {"/v1", {}},
      {"/v1/chat", {.drains = true, .most_time = milliseconds(3), .most_bytes = 30}}};
  EXPECT_EQ(bounds_of(policies, "/v1/chat/completions").most_bytes, 30U);
  EXPECT_EQ(bounds_of(policies, "/v1/chat/completions").most_time, milliseconds(3));
  EXPECT_EQ(bounds_of(policies, "/v1/chatter").most_bytes, 0U);
  EXPECT_EQ(bounds_of(policies, "/other").most_bytes, 10U);
}

}  // namespace
}  // namespace aifd::middleware
