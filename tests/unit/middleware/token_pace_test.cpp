#include "aifd/middleware/token_pace.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using namespace std::chrono_literals;
using test::TestExchange;

config::RateLimits limits(const char* text) {
  return config::parse_rate_limits(text).value();
}

TEST(TokenPaceInterval, KeepsAllLimits) {
  struct Case {
    const char* text;
    Clock::duration interval;
  };
  const Case cases[] = {{"inf", 0ns},
                        {"20/second", 50ms},
                        {"1/second", 1s},
                        {"3/second", 333333333ns},
                        {"20/second;60/minute", 1s},
                        {"120/2minutes", 1s}};
  for (const Case& c : cases) EXPECT_EQ(interval_of(limits(c.text)), c.interval) << c.text;
}

class PaceTapTest : public testing::Test {
 protected:
  void begin(const char* type = "text/event-stream; charset=utf-8") {
    protocol::ResponseHead head;
    head.fields.add("Content-Type", type);
    tap_.on_head(head);
  }
  Clock::duration due_after(std::string_view bytes, Clock::duration at) {
    return tap_.due(bytes, start_ + at) - start_;
  }

  PaceTap tap_{50ms};
  Clock::time_point start_ = Clock::time_point{} + 1h;
};

TEST_F(PaceTapTest, SendsTheFirstEventAtOnceAndEachOfABacklogInItsTurn) {
  begin();
  EXPECT_EQ(due_after("data: 1\n\n", 0ms), 0ms);
  EXPECT_EQ(due_after("data: 2\n\n", 0ms), 50ms);
  EXPECT_EQ(due_after("data: 3\n\n", 50ms), 100ms);
}

TEST_F(PaceTapTest, DoesNotAddUpLateTimers) {
  begin();
  for (int i = 0; i < 1000; ++i) {
    const auto late = std::chrono::milliseconds(i % 7);
    EXPECT_EQ(due_after("data: x\n\n", i == 0 ? 0ms : (i - 1) * 50ms + late), i * 50ms);
  }
}

TEST_F(PaceTapTest, CatchesUpWhereTheTimerIsCoarserThanThePace) {
  PaceTap fast{1ms};
  protocol::ResponseHead head;
  head.fields.add("Content-Type", "text/event-stream");
  fast.on_head(head);
  const Clock::time_point first = fast.due("data: 0\n\n", start_);
  EXPECT_EQ(fast.due("data: 1\n\n", first + 9ms), first + 1ms);
  EXPECT_EQ(fast.due("data: 2\n\n", first + 9ms), first + 2ms);
}

TEST_F(PaceTapTest, DoesNotHurryAfterTheUpstreamPaused) {
  begin();
  EXPECT_EQ(due_after("data: 1\n\n", 0ms), 0ms);
  EXPECT_EQ(due_after("data: 2\n\n", 1s), 980ms);  // at once
  EXPECT_EQ(due_after("data: 3\n\n", 1s), 1030ms);
}

TEST_F(PaceTapTest, LetsTheRestOfAnEventFollowItsBeginning) {
  begin();
  EXPECT_EQ(due_after("data: ", 0ms), 0ms);
  EXPECT_EQ(tap_.due("1\n", start_), chain::kAtOnce);
  EXPECT_EQ(tap_.due("\n", start_), chain::kAtOnce);
  EXPECT_EQ(due_after("da", 0ms), 50ms);
  EXPECT_EQ(tap_.due("ta: 2\n\n", start_), chain::kAtOnce);
}

TEST_F(PaceTapTest, CutsAtTheEndOfEachEvent) {
  begin();
  EXPECT_EQ(tap_.cut("data: 1\n\ndata: 2\n\n"), 9U);
  EXPECT_EQ(tap_.cut("data: 1\n\ndata: 2\n\n"), 9U) << "a look ahead changes nothing";
  tap_.due("data: 1\n\n", start_);
  EXPECT_EQ(tap_.cut("data: 2"), 7U);
}

TEST_F(PaceTapTest, CutsLinesOfNdjson) {
  begin("application/x-ndjson");
  EXPECT_EQ(tap_.cut("{\"a\":1}\n{\"b\":2}\n"), 8U);
}

TEST_F(PaceTapTest, LeavesAWholeAnswerAlone) {
  begin("application/json");
  EXPECT_EQ(tap_.cut("{\n\n}"), 4U);
  EXPECT_EQ(tap_.on_chunk("{\n\n"), chain::kAtOnce);
  EXPECT_EQ(tap_.on_chunk("}"), chain::kAtOnce);
}

TEST(PaceTapWithoutPace, CutsAndDoesNotWait) {
  PaceTap tap{0ms};
  protocol::ResponseHead head;
  head.fields.add("Content-Type", "text/event-stream");
  tap.on_head(head);
  EXPECT_EQ(tap.cut("data: 1\n\ndata: 2\n\n"), 9U);
  EXPECT_EQ(tap.on_chunk("data: 1\n\n"), chain::kAtOnce);
  EXPECT_EQ(tap.on_chunk("data: 2\n\n"), chain::kAtOnce);
}

services::LimitRules rules() {
  config::RouteLimits limits_by_route;
  limits_by_route["/v1/chat"] = {{0, limits("10/second")}, {1, limits("inf")}};
  return {limits_by_route, {}, {"/"}};
}

// How long the second event of a stream waits.
Clock::duration wait_of_second(const TokenPace& link, chain::CacheUse use) {
  TestExchange exchange("POST /v1/chat/completions");
  exchange->route.prefix = "/";
  EXPECT_TRUE(test::passed(exchange.run(link)));
  exchange->cache = use;  // told by a later link
  protocol::ResponseHead head;
  head.fields.add("Content-Type", "text/event-stream");
  chain::Tap& tap = *exchange->taps().front();
  tap.on_head(head);
  const Clock::time_point first = tap.on_chunk("data: 1\n\n");
  const Clock::time_point second = tap.on_chunk("data: 2\n\n");
  return second == chain::kAtOnce ? Clock::duration{} : second - first;
}

std::size_t taps(const char* request, int level, config::IterChunkType chunks) {
  TestExchange exchange(request);
  exchange->route.prefix = "/";
  exchange->level = level;
  EXPECT_TRUE(test::passed(exchange.run(TokenPace(rules(), chunks))));
  const bool identity = exchange->request.fields.get("Accept-Encoding") == "identity";
  EXPECT_EQ(identity, !exchange->taps().empty()) << request;
  return exchange->taps().size();
}

TEST(TokenPace, IsByRouteAndLevel) {
  using enum config::IterChunkType;
  const char* const chat = "POST /v1/chat/completions\nAccept-Encoding: gzip";
  EXPECT_EQ(taps(chat, 0, efficiency), 1U);
  EXPECT_EQ(taps("POST /v1/ch%61t/completions", 0, efficiency), 1U);
  EXPECT_EQ(taps(chat, 1, efficiency), 0U);
  EXPECT_EQ(taps(chat, 2, efficiency), 0U);
  EXPECT_EQ(taps("POST /v1/chats", 0, efficiency), 0U);
  EXPECT_EQ(taps("POST /v1/chats", 0, one_by_one), 1U);
}

TEST(TokenPace, LeavesAnswersFromTheCacheAloneUnlessTheyArePacedToo) {
  using enum chain::CacheUse;
  const TokenPace at_once(rules(), config::IterChunkType::efficiency, false);
  const TokenPace paced(rules(), config::IterChunkType::efficiency, true);
  EXPECT_EQ(wait_of_second(at_once, hit), 0ms);
  EXPECT_EQ(wait_of_second(paced, hit), 100ms);
  for (const chain::CacheUse use : {none, miss, bypass}) {
    EXPECT_EQ(wait_of_second(at_once, use), 100ms);
    EXPECT_EQ(wait_of_second(paced, use), 100ms);
  }
}

}  // namespace
}  // namespace aifd::middleware
