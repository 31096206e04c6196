#include "aifd/services/shared_answer.hpp"

#include <gtest/gtest.h>

#include "cache_samples.hpp"
#include "services/shared_answer_samples.hpp"

namespace aifd::services {
namespace {

TEST(SharedAnswer, GivesThePastAtOnceAndThenWhatComes) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader first(*answer);
  call.begin_with_head();
  call.piece("one ");
  EXPECT_EQ(first.next()->bytes, "one ");
  call.piece("two ");
  TestReader late(*answer);
  EXPECT_EQ(late.next()->bytes, "one two ");
  EXPECT_FALSE(late->ready());
  const auto waiting = late.start(late->next());
  EXPECT_FALSE(waiting->finished());
  call.piece("three");
  late.poll();
  const Result<chain::Piece> piece = waiting->take();
  EXPECT_EQ(piece->bytes, "three");
  EXPECT_FALSE(piece->last);
  EXPECT_EQ(first.drain(), "two three");
}

TEST(SharedAnswer, TheLastPieceSaysSo) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader behind(*answer);
  TestReader at_end(*answer);
  call.begin_with_head();
  call.piece("all");
  EXPECT_EQ(at_end.next()->bytes, "all");
  const auto waiting = at_end.start(at_end->next());
  call.end();
  at_end.poll();
  const Result<chain::Piece> nothing = waiting->take();
  EXPECT_TRUE(nothing->last);
  EXPECT_TRUE(nothing->bytes.empty());
  const Result<chain::Piece> all = behind.next();
  EXPECT_TRUE(all->last);
  EXPECT_EQ(all->bytes, "all");
}

TEST(SharedAnswer, AnEmptyBodyIsWhole) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  call.begin_with_head();
  call.end();
  EXPECT_TRUE(reader.next()->last);
  EXPECT_EQ((*reader.whole())->body, "");
}

TEST(SharedAnswer, CopiesALiveBodyInPartsAndGivesAWholeOneAsItIs) {
  const std::string body(50'000, 'x');
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  TestReader other(*answer);
  call.begin_with_head();
  call.piece(body);
  EXPECT_EQ(reader.next()->bytes.size(), 16U * 1024);
  call.end();
  const Result<chain::Piece> rest = reader.next();
  EXPECT_EQ(rest->bytes.size(), body.size() - 16 * 1024);
  EXPECT_TRUE(rest->last);
  EXPECT_EQ(other.next()->bytes.data(), (*other.whole())->body.data());
}

TEST(SharedAnswer, TheHeadIsTheUpstreamsWithoutWhatIsOfOneHop) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  const auto waiting = reader.start(reader->head());
  call.begin();
  reader.poll();
  EXPECT_FALSE(waiting->finished());
  {
    std::string type = "Text/Event-Stream; charset=utf-8";
    protocol::ResponseHead head = answer_head(203, type);
    head.fields.add("Connection", "X-Hop");
    head.fields.add("X-Hop", "1");
    head.fields.add("Content-Length", "7");
    head.fields.add("X-End", "2");
    chain::Outcome progress;
    progress.attempts = 3;
    progress.head_received = Clock::time_point(std::chrono::seconds(9));
    answer->head(head, {protocol::BodyKind::length, 7}, progress);
    type.assign(type.size(), '#');  // its views are gone
  }
  reader.poll();
  const SharedHead& head = **waiting->take();
  EXPECT_EQ(head.status, 203);
  EXPECT_EQ(head.reason, "Fine");
  const std::vector<CacheField> fields{{"Content-Type", "Text/Event-Stream; charset=utf-8"},
                                       {"X-End", "2"}};
  EXPECT_EQ(head.fields, fields);
  EXPECT_EQ(head.framing, (protocol::BodyFraming{protocol::BodyKind::length, 7}));
  EXPECT_TRUE(head.event_stream);
  EXPECT_FALSE(head.from_store);
  EXPECT_EQ(head.attempts, 3U);
  EXPECT_EQ(head.head_received, Clock::time_point(std::chrono::seconds(9)));
  call.end();
}

TEST(SharedAnswer, ACallThatFailsFailsForEachReader) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader first(*answer);
  TestReader second(*answer);
  const auto head = first.start(first->head());
  const auto whole = second.start(second->whole());
  call.begin();
  call.end(broken_call());
  first.poll();
  second.poll();
  EXPECT_EQ(head->take().error().detail, "It broke.");
  EXPECT_EQ(whole->take().error().detail, "It broke.");
  EXPECT_EQ(first.next().error().detail, "It broke.");
}

TEST(SharedAnswer, ABodyThatBreaksIsCutBehindWhatCame) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader live(*answer);
  TestReader behind(*answer);
  call.begin_with_head();
  call.piece("half");
  EXPECT_EQ(live.next()->bytes, "half");
  const auto waiting = live.start(live->next());
  call.end(broken_call());
  live.poll();
  EXPECT_EQ(waiting->take().error().kind, ErrorKind::upstream_broke);
  EXPECT_EQ((*behind.head())->status, 200);
  const Result<chain::Piece> half = behind.next();
  EXPECT_EQ(half->bytes, "half");
  EXPECT_FALSE(half->last);
  EXPECT_TRUE(behind->ready());
  EXPECT_EQ(behind.next().error().kind, ErrorKind::upstream_broke);
  EXPECT_EQ(behind.whole().error().kind, ErrorKind::upstream_broke);
}

TEST(SharedAnswer, AnEndWithoutAHeadIsAFault) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  call.begin();
  call.end();
  EXPECT_EQ(reader.head().error().kind, ErrorKind::internal);
  EXPECT_EQ(reader.whole().error().kind, ErrorKind::internal);
}

TEST(SharedAnswer, AReadersStopperEndsEachOfItsWaits) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader one(*answer);
  TestReader two(*answer);
  TestReader three(*answer);
  TestReader stays(*answer);
  call.begin();
  const auto head = one.start(one->head());
  const auto whole = two.start(two->whole());
  const auto piece = three.start(three->next());
  for (TestReader* reader : {&one, &two, &three}) {
    reader->stop();
    reader->poll();
  }
  EXPECT_EQ(head->take().error().detail, "It left.");
  EXPECT_EQ(whole->take().error().detail, "It left.");
  EXPECT_EQ(piece->take().error().detail, "It left.");
  EXPECT_EQ(three.next().error().detail, "It left.");  // stopped before it would wait
  call.head();
  call.piece("on it goes");
  call.end();
  EXPECT_EQ(stays.drain(), "on it goes");
}

TEST(SharedAnswer, WakesOnlyThoseForWhomThereIsSomething) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader for_whole(*answer);
  TestReader for_bytes(*answer);
  call.begin_with_head();
  const auto whole = for_whole.start(for_whole->whole());
  const auto piece = for_bytes.start(for_bytes->next());
  call.piece("a");
  call.piece("b");
  EXPECT_EQ(for_whole.poll(), 0U);
  for_bytes.poll();
  EXPECT_EQ(piece->take()->bytes, "ab");
  EXPECT_EQ(for_bytes.poll(), 0U);
  call.end();
  for_whole.poll();
  EXPECT_EQ((*whole->take())->body, "ab");
}

TEST(SharedAnswer, TheLastReaderThatLeavesEndsTheCall) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader first(*answer);
  TestReader second(*answer);
  call.begin_with_head();
  first.leave();
  EXPECT_FALSE(call.stopped());
  second.leave();
  EXPECT_FALSE(TestReader(*answer));  // one that comes now makes a call of its own
  ASSERT_TRUE(call.stopped());
  EXPECT_EQ(call.stopper().reason()->kind, ErrorKind::client_gone);
  EXPECT_TRUE(call.piece("too late"));
  call.end(*call.stopper().reason());
}

TEST(SharedAnswer, ACallWhoseReadersHaveLeftBeforeEndsAsItBegins) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader(*answer).leave();
  call.begin();
  EXPECT_TRUE(call.stopper().stopped());
  call.end(client_left());
}

TEST(SharedAnswer, ACallThatHasEndedIsNotStopped) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader last(*answer);
  call.begin_with_head();
  call.piece("x");
  last.leave();
  call.end();  // before its loop comes to the stop
  EXPECT_FALSE(call.stopped());

  const auto other = shared_answer();
  ScriptedCall whole(other);
  TestReader reader(*other);
  whole.begin_with_head();
  whole.end();
  reader.leave();
  EXPECT_FALSE(whole.stopped());
}

TEST(SharedAnswer, OutlivesTheLoopsOfItsCallAndItsReaders) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader stays(*answer);
  call.begin_with_head();
  {
    // A session that waits, and goes with its loop.
    asio::io_context loop;
    chain::Stopper stopper;
    asio::co_spawn(
        loop,
        [](std::unique_ptr<AnswerReader> reader) -> Task<void> {
          co_await reader->next();
        }(answer->read(loop.get_executor(), stopper)),
        [](const std::exception_ptr&) {});
    loop.poll();
    call.piece("woken, and never run");
  }
  EXPECT_EQ(stays.drain(), "woken, and never run");
  call.destroy_loop();
  stays.leave();
}

TEST(SharedAnswer, TakesNoReadersOnceItHasEnded) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  call.begin_with_head();
  EXPECT_TRUE(TestReader(*answer));
  call.end();
  EXPECT_FALSE(TestReader(*answer));
}

TEST(SharedAnswer, AStoredAnswerServesAllWhoWait) {
  const auto answer = shared_answer();
  TestReader reader(*answer);
  const auto waiting = reader.start(reader->head());
  auto entry = std::make_shared<CacheEntry>(cache_sample());
  answer->supply(entry);
  reader.poll();
  const SharedHead& head = **waiting->take();
  EXPECT_TRUE(head.from_store);
  EXPECT_EQ(head.status, 203);
  EXPECT_EQ(head.fields, entry->fields);
  EXPECT_EQ(head.framing, (protocol::BodyFraming{protocol::BodyKind::length, entry->body.size()}));
  EXPECT_TRUE(head.event_stream);
  EXPECT_EQ(*reader.whole(), entry);
  const Result<chain::Piece> piece = reader.next();
  EXPECT_EQ(piece->bytes.data(), entry->body.data());
  EXPECT_TRUE(piece->last);
}

TEST(SharedAnswer, OneThatCannotBeBroughtIsAnErrorForAll) {
  const auto answer = shared_answer();
  TestReader reader(*answer);
  const auto waiting = reader.start(reader->next());
  answer->fail(broken_call());
  answer->fail(client_left());
  answer->supply(cache_answer("too late"));
  reader.poll();
  EXPECT_EQ(waiting->take().error().detail, "It broke.");
  EXPECT_EQ(reader.head().error().detail, "It broke.");
}

TEST(SharedAnswer, ACallThatHasBegunIsNotReplaced) {
  const auto answer = shared_answer();
  ScriptedCall call(answer);
  TestReader reader(*answer);
  call.begin();
  answer->fail(broken_call());
  answer->supply(cache_answer("stored"));
  call.head();
  call.piece("called");
  call.end();
  EXPECT_EQ(reader.drain(), "called");
}

}  // namespace
}  // namespace aifd::services
