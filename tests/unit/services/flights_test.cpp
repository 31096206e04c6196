#include "aifd/services/flights.hpp"

#include <gtest/gtest.h>

#include "cache_samples.hpp"
#include "services/shared_answer_samples.hpp"

namespace aifd::services {
namespace {

// One loop's requests.
class FlightsTest : public testing::Test {
 protected:
  Flights::Boarding board(const CacheKey& key, const std::vector<CacheKey>& others = {}) {
    const Flights::Make make = [this] {
      SharedAnswer::Options options;
      options.max_bytes = 8;
      options.choose = [](const protocol::ResponseHead&) { return SharedAnswer::Keeping{}; };
      options.keep = [this](const CacheEntryPtr&) { here_at_keeping_ = flights_.size(); };
      ++made_;
      return options;
    };
    return flights_.board(key, loop_.get_executor(), stopper_, make, others);
  }

  asio::io_context loop_;
  chain::Stopper stopper_;
  Flights flights_;
  int made_ = 0;
  std::size_t here_at_keeping_ = 0;
};

TEST_F(FlightsTest, TheFirstLeadsAndTheOthersJoin) {
  const auto first = board(cache_key(1));
  const auto second = board(cache_key(1));
  const auto other = board(cache_key(2));
  EXPECT_TRUE(first.lead);
  EXPECT_FALSE(second.lead);
  EXPECT_TRUE(other.lead);
  EXPECT_EQ(made_, 2);
  EXPECT_EQ(flights_.size(), 2U);
  ScriptedCall call(first.lead.answer());
  call.begin_with_head();
  call.piece("shared");
  EXPECT_EQ((**second.reader->try_next()).bytes, "shared");
  EXPECT_FALSE(other.reader->try_next());
  call.end();
}

TEST_F(FlightsTest, AnotherAnswerServesWhereTheOwnIsNotHere) {
  const auto other = board(cache_key(2));
  const auto third = board(cache_key(3));
  const auto follower = board(cache_key(1), {cache_key(4), cache_key(3), cache_key(2)});
  EXPECT_FALSE(follower.lead);
  ScriptedCall call(third.lead.answer());
  call.begin_with_head();
  call.piece("third");
  EXPECT_EQ((**follower.reader->try_next()).bytes, "third");
  call.end();
  EXPECT_TRUE(board(cache_key(1)).lead) << "no others are named";
  EXPECT_FALSE(board(cache_key(1), {cache_key(2)}).lead);
  EXPECT_TRUE(board(cache_key(5), {cache_key(3)}).lead) << "the third has ended";
}

TEST_F(FlightsTest, AnAnswerLeavesOnceItWasKept) {
  const auto first = board(cache_key(1));
  ScriptedCall call(first.lead.answer());
  call.begin_with_head();
  call.end();
  EXPECT_EQ(here_at_keeping_, 1U);
  EXPECT_EQ(flights_.size(), 0U);
  EXPECT_TRUE(board(cache_key(1)).lead);
}

TEST_F(FlightsTest, AnAnswerLeavesAsItFailsOrIsSupplied) {
  auto first = board(cache_key(1));
  first.lead.answer()->supply(cache_answer("stored"));
  EXPECT_EQ(flights_.size(), 0U);
  auto second = board(cache_key(1));
  second.lead.answer()->fail(broken_call());
  EXPECT_EQ(flights_.size(), 0U);
  EXPECT_EQ((**first.reader->try_next()).bytes, "stored");
}

TEST_F(FlightsTest, AnAnswerLeavesWithItsLastReader) {
  auto first = board(cache_key(1));
  ScriptedCall call(first.lead.answer());
  call.begin_with_head();
  first.reader.reset();
  EXPECT_EQ(flights_.size(), 0U);
  const auto second = board(cache_key(1));
  EXPECT_TRUE(second.lead);
  call.end(client_left());  // of the one that is not there any more
  EXPECT_EQ(flights_.size(), 1U);
  EXPECT_FALSE(board(cache_key(1)).lead);
}

TEST_F(FlightsTest, TheLeaderMayLeave) {
  auto first = board(cache_key(1));
  const auto second = board(cache_key(1));
  ScriptedCall call(first.lead.answer());
  first.reader.reset();
  call.begin_with_head();
  call.piece("on");
  EXPECT_FALSE(call.stopped());
  EXPECT_EQ((**second.reader->try_next()).bytes, "on");
  call.end();
}

TEST_F(FlightsTest, AnAnswerLeavesAsItGrowsTooLarge) {
  const auto first = board(cache_key(1));
  ScriptedCall call(first.lead.answer());
  call.begin_with_head();
  call.piece("12345678");
  EXPECT_EQ(flights_.size(), 1U);
  call.piece("9");
  EXPECT_EQ(flights_.size(), 0U);
  call.end();
}

TEST_F(FlightsTest, ALeaderThatBringsNothingFailsForAll) {
  std::unique_ptr<AnswerReader> follower;
  {
    const auto first = board(cache_key(1));
    follower = board(cache_key(1)).reader;
  }
  const auto piece = follower->try_next();
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->error().kind, ErrorKind::internal);
  EXPECT_EQ(flights_.size(), 0U);
}

TEST_F(FlightsTest, ALeadsEndDoesNotHurtACallThatRuns) {
  std::unique_ptr<AnswerReader> reader;
  std::unique_ptr<ScriptedCall> call;
  {
    auto first = board(cache_key(1));
    call = std::make_unique<ScriptedCall>(first.lead.answer());
    call->begin_with_head();
    reader = std::move(first.reader);
  }
  call->piece("on");
  EXPECT_EQ((**reader->try_next()).bytes, "on");
  call->end();
}

TEST_F(FlightsTest, AnswersOutliveTheTable) {
  auto flights = std::make_unique<Flights>();
  auto first = flights->board(cache_key(1), loop_.get_executor(), stopper_,
                              [] { return SharedAnswer::Options{}; });
  flights.reset();
  first.lead.answer()->fail(broken_call());
  EXPECT_FALSE(*first.reader->try_next());
}

}  // namespace
}  // namespace aifd::services
