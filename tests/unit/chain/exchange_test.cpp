#include "aifd/chain/exchange.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::chain {
namespace {

using test::RecordingTap;
using test::TestExchange;
using Journal = std::vector<std::string>;

class OutcomeTap final : public Tap {
 public:
  explicit OutcomeTap(Outcome& outcome) : outcome_(outcome) {}
  void on_done(const Outcome& outcome) noexcept override { outcome_ = outcome; }

 private:
  Outcome& outcome_;
};

TEST(CacheUse, HasAWordForEachButNone) {
  EXPECT_EQ(to_string(CacheUse::none), "");
  EXPECT_EQ(to_string(CacheUse::hit), "hit");
  EXPECT_EQ(to_string(CacheUse::miss), "miss");
  EXPECT_EQ(to_string(CacheUse::bypass), "bypass");
}

TEST(Exchange, TellsEveryTapOnceTheLastAddedFirst) {
  Journal journal;
  TestExchange exchange("GET /");
  for (const char* name : {"a", "b", "c"}) {
    exchange->add_tap(std::make_unique<RecordingTap>(name, journal));
  }
  exchange->finish(EndedBy::upstream);
  exchange->finish(EndedBy::complete);
  exchange.destroy();
  EXPECT_EQ(journal, (Journal{"c done upstream", "b done upstream", "a done upstream"}));
}

TEST(Exchange, ThatNobodyFinishedIsAFaultOfAifd) {
  Journal journal;
  TestExchange exchange("GET /");
  exchange->add_tap(std::make_unique<RecordingTap>("a", journal));
  exchange.destroy();
  EXPECT_EQ(journal, (Journal{"a done aifd internal"}));
}

TEST(Exchange, KeepsAnErrorNotedOnTheWayUnlessTheEndHasItsOwn) {
  const Error noted{ErrorKind::no_route, ErrorSource::client, false, ""};
  for (const bool has_own : {false, true}) {
    Journal journal;
    TestExchange exchange("GET /");
    exchange->add_tap(std::make_unique<RecordingTap>("a", journal));
    exchange->progress.error = noted;
    exchange->finish(
        EndedBy::client,
        has_own ? std::optional<Error>({ErrorKind::client_gone, {}, false, ""}) : std::nullopt);
    EXPECT_EQ(journal.at(0), has_own ? "a done client client_gone" : "a done client no_route");
  }
}

TEST(Exchange, StampsTheEndAndCountsWhatWasReadOfTheRequest) {
  Outcome outcome;
  TestExchange exchange("POST /", {{"abc"}, {"defg"}, {"hi", true}});
  exchange->add_tap(std::make_unique<OutcomeTap>(outcome));
  EXPECT_FALSE(*test::run_task(exchange->body.hold(5)));
  const auto piece = test::run_task(exchange->body.next());
  ASSERT_TRUE(piece);
  const Clock::time_point before = Clock::now();
  exchange->progress.status = 200;
  exchange->finish(EndedBy::client);
  EXPECT_EQ(outcome.bytes_in, exchange->body.bytes_read());
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.started, Clock::time_point{});
  EXPECT_GE(outcome.ended, before);
}

TEST(Exchange, KeepsTextsWhereTheyAre) {
  TestExchange exchange("GET /");
  const std::string_view first = exchange->keep("first");
  std::vector<std::string_view> kept;
  for (int i = 0; i < 1000; ++i) kept.push_back(exchange->keep(std::to_string(i)));
  EXPECT_EQ(first, "first");
  EXPECT_EQ(kept.front(), "0");
  EXPECT_EQ(kept.back(), "999");
}

TEST(Outcome, HasANameForEveryEndAndPhase) {
  EXPECT_EQ(to_string(EndedBy::complete), "complete");
  EXPECT_EQ(to_string(EndedBy::client), "client");
  EXPECT_EQ(to_string(EndedBy::upstream), "upstream");
  EXPECT_EQ(to_string(EndedBy::aifd), "aifd");
  EXPECT_EQ(to_string(Phase::links), "links");
  EXPECT_EQ(to_string(Phase::connect), "connect");
  EXPECT_EQ(to_string(Phase::upload), "upload");
  EXPECT_EQ(to_string(Phase::wait_head), "wait_head");
  EXPECT_EQ(to_string(Phase::stream), "stream");
  EXPECT_EQ(to_string(Phase::tunnel), "tunnel");
}

}  // namespace
}  // namespace aifd::chain
