// What is kept of a shared answer, and what becomes of one that is too large for that.
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "aifd/services/shared_answer.hpp"
#include "answer_recording.hpp"
#include "services/logged_lines.hpp"
#include "services/shared_answer_samples.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;
using protocol::ResponseHead;

// Notes what is kept.
struct Kept {
  std::vector<CacheEntryPtr> entries;
  Clock::time_point now{};
  std::chrono::seconds time_to_live = 60s;

  SharedAnswer::Options options(std::size_t max_bytes = 1 << 20) {
    SharedAnswer::Options options;
    options.max_bytes = max_bytes;
    options.max_behind_bytes = 0;
    options.choose = [this](const ResponseHead& head) -> std::optional<SharedAnswer::Keeping> {
      if (head.status != 200) return std::nullopt;
      return SharedAnswer::Keeping{{{"X-Kept", "yes"}}, time_to_live};
    };
    options.keep = [this](const CacheEntryPtr& entry) { entries.push_back(entry); };
    options.wall_clock = [] { return std::int64_t{1000}; };
    options.clock = [this] { return now; };
    return options;
  }
};

TEST(SharedAnswerKeeping, AWholeAnswerIsKeptBeforeItsEndIsSeen) {
  Kept kept;
  SharedAnswer::Options options = kept.options();
  TestReader* watched = nullptr;
  bool ended = true;
  options.keep = [&](const CacheEntryPtr& entry) {
    kept.entries.push_back(entry);
    EXPECT_EQ(watched->next()->bytes, "body");  // all bytes, and not that they are all
    ended = watched->operator->()->ready();
  };
  const auto answer = shared_answer(std::move(options));
  TestReader reader(*answer);
  watched = &reader;
  ScriptedCall call(answer);
  call.begin_with_head();
  call.piece("body");
  call.end();
  EXPECT_FALSE(ended);
  ASSERT_EQ(kept.entries.size(), 1U);
  const CacheEntryPtr entry = *reader.whole();
  EXPECT_EQ(entry, kept.entries[0]);
  EXPECT_EQ(entry->status, 200);
  EXPECT_EQ(entry->fields, (std::vector<CacheField>{{"X-Kept", "yes"}}));
  EXPECT_EQ(entry->body, "body");
  EXPECT_FALSE(entry->event_stream);
  EXPECT_TRUE(entry->rhythm.empty());
  EXPECT_EQ(entry->stored_at, 1000);
  EXPECT_EQ(entry->expires_at, 1060);
}

TEST(SharedAnswerKeeping, AKeptBodyTakesNoMoreRoomThanItNeeds) {
  Kept kept;
  const auto answer = shared_answer(kept.options());
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  for (int i = 0; i < 1000; ++i) call.piece("0123456789");
  call.piece("x");
  call.end();
  EXPECT_EQ(kept.entries.at(0)->body.capacity(), 10'001U);
}

TEST(SharedAnswerKeeping, TimesToLiveEndInBounds) {
  for (const auto& [time_to_live, expires_at] :
       {std::pair{0s, std::int64_t{0}}, std::pair{1s, std::int64_t{1001}},
        std::pair{std::chrono::seconds::max(), std::numeric_limits<std::int64_t>::max()}}) {
    Kept kept;
    kept.time_to_live = time_to_live;
    const auto answer = shared_answer(kept.options());
    TestReader reader(*answer);
    ScriptedCall call(answer);
    call.begin_with_head();
    call.end();
    EXPECT_EQ(kept.entries.at(0)->expires_at, expires_at);
  }
}

TEST(SharedAnswerKeeping, WhatIsNotToBeKeptIsSharedAllTheSame) {
  Kept kept;
  const auto answer = shared_answer(kept.options());
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin();
  call.head("text/event-stream", 503);
  call.piece("no");
  call.end();
  EXPECT_TRUE(kept.entries.empty());
  const CacheEntryPtr entry = *reader.whole();
  EXPECT_EQ(entry->status, 503);
  EXPECT_EQ(entry->fields, (std::vector<CacheField>{{"Content-Type", "text/event-stream"}}));
  EXPECT_EQ(entry->body, "no");
  EXPECT_EQ(entry->expires_at, 0);
  EXPECT_TRUE(entry->rhythm.empty());
}

TEST(SharedAnswerKeeping, WhatBrokeOrNobodyReadsIsNotKept) {
  Kept kept;
  for (const bool leaves : {false, true}) {
    const auto answer = shared_answer(kept.options());
    TestReader reader(*answer);
    ScriptedCall call(answer);
    call.begin_with_head();
    call.piece("half");
    if (leaves) reader.leave();
    call.piece("more");  // which a deserted answer does not record
    call.end(leaves ? Result<void>() : Result<void>(broken_call()));
  }
  EXPECT_TRUE(kept.entries.empty());
}

TEST(SharedAnswerKeeping, AStoreThatThrowsHurtsNobody) {
  const LoggedLines logged;
  Kept kept;
  SharedAnswer::Options options = kept.options();
  options.keep = [](const CacheEntryPtr&) { throw std::runtime_error("no room"); };
  const auto answer = shared_answer(std::move(options));
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  call.piece("body");
  call.end();
  EXPECT_EQ((*reader.whole())->body, "body");
  EXPECT_EQ(logged.count(), 1);
}

TEST(SharedAnswerKeeping, TheRhythmOfAStreamIsKept) {
  Kept kept;
  kept.now = Clock::time_point(5h);
  const auto answer = shared_answer(kept.options());
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin();
  call.head("text/event-stream");
  for (const auto& [piece, later] : {std::pair{"ab", 0us}, std::pair{"cd", 900us},
                                     std::pair{"e", 2ms + 0us}, std::pair{"f", 3s + 0us}}) {
    kept.now += later;
    call.piece(piece);
  }
  call.end();
  EXPECT_EQ(kept.entries.at(0)->rhythm, (std::vector<StreamBeat>{{0, 0}, {4, 2}, {5, 3002}}));
}

TEST(SharedAnswerKeeping, ARhythmHasSoManyBeats) {
  Rhythm rhythm;
  for (std::uint64_t i = 0; i < Rhythm::kMostBeats + 10; ++i) {
    rhythm.note(i, Clock::time_point(std::chrono::milliseconds(i)));
  }
  const std::vector<StreamBeat> beats = rhythm.take();
  ASSERT_EQ(beats.size(), Rhythm::kMostBeats);
  EXPECT_EQ(beats.back(), (StreamBeat{Rhythm::kMostBeats - 1, Rhythm::kMostBeats - 1}));
}

TEST(BodyWindow, DropsWhatNobodyWants) {
  BodyWindow window;
  window.append("0123456789");
  window.drop_before(4);  // less than half: stays
  EXPECT_EQ(window.from(0), "0123456789");
  window.drop_before(5);
  EXPECT_EQ(window.from(5), "56789");
  window.append("abc");
  EXPECT_EQ(window.end(), 13U);
  EXPECT_EQ(window.from(9), "9abc");
  window.drop_before(13);
  EXPECT_EQ(window.from(13), "");
  EXPECT_EQ(window.end(), 13U);
}

TEST(SharedAnswerTooLarge, IsPassedOnButNeitherHeldNorKept) {
  Kept kept;
  const auto answer = shared_answer(kept.options(4));
  TestReader reader(*answer);
  TestReader wants_whole(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  EXPECT_TRUE(call.piece("0123"));
  EXPECT_TRUE(TestReader(*answer));
  const auto whole = wants_whole.start(wants_whole->whole());
  EXPECT_EQ(reader.drain(), "0123");
  EXPECT_TRUE(call.piece("4"));
  wants_whole.poll();
  EXPECT_EQ(*whole->take(), nullptr);
  EXPECT_EQ(wants_whole.next().error().kind, ErrorKind::client_timeout);
  EXPECT_FALSE(TestReader(*answer));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(call.piece("0123456789"));
    ASSERT_EQ(reader.drain(), i == 0 ? "40123456789" : "0123456789");
  }
  call.piece("end");
  call.end();
  const Result<chain::Piece> last = reader.next();
  EXPECT_EQ(last->bytes, "end");
  EXPECT_TRUE(last->last);
  EXPECT_EQ(*reader.whole(), nullptr);
  EXPECT_TRUE(kept.entries.empty());
}

TEST(SharedAnswerTooLarge, ACallThatOnlyServedTheWholeIsEnded) {
  const auto answer = shared_answer(4);
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  const auto whole = reader.start(reader->whole());
  EXPECT_TRUE(call.piece("01234"));
  EXPECT_TRUE(call.stopped());
  reader.poll();
  EXPECT_EQ(*whole->take(), nullptr);
  call.end(client_left());
}

TEST(SharedAnswerTooLarge, TheCallWaitsForItsSlowestReader) {
  Kept kept;
  const auto answer = shared_answer(kept.options(10));
  TestReader slow(*answer);
  TestReader slower(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  EXPECT_TRUE(call.piece("0123456789"));
  EXPECT_TRUE(call.piece("0"));           // 10 behind before it
  EXPECT_FALSE(call.piece("123456789"));  // 11 behind
  call.wait_for_room();
  EXPECT_FALSE(call.has_room());
  EXPECT_EQ(slower.next()->bytes, "01234567890123456789");
  EXPECT_TRUE(call.has_room()) << "one has read all";
  EXPECT_EQ(slow.next().error().kind, ErrorKind::client_timeout);
  EXPECT_EQ(slow.next().error().source, ErrorSource::client);
  EXPECT_TRUE(slow->ready());
  EXPECT_TRUE(call.room());
  call.end();
  EXPECT_TRUE(slower.next()->last);
}

TEST(SharedAnswerTooLarge, ASlowReaderThatIsAloneIsWaitedFor) {
  const std::string part(16 * 1024, 'x');
  SharedAnswer::Options options;
  options.max_bytes = part.size();
  options.max_behind_bytes = 0;
  const auto answer = shared_answer(std::move(options));
  TestReader reader(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(call.piece(part));
  EXPECT_FALSE(call.piece(part));
  call.wait_for_room();
  EXPECT_FALSE(call.has_room());
  EXPECT_EQ(reader.next()->bytes.size(), part.size());
  EXPECT_FALSE(call.has_room());
  EXPECT_EQ(reader.next()->bytes.size(), part.size());
  EXPECT_TRUE(call.has_room());
  EXPECT_EQ(reader.drain(), part);
}

TEST(SharedAnswerTooLarge, TheCallGoesOnOnceTheSlowReaderLeft) {
  Kept kept;
  const auto answer = shared_answer(kept.options(10));
  TestReader slow(*answer);
  TestReader near(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  EXPECT_TRUE(call.piece(std::string(16 * 1024, 'x')));
  EXPECT_FALSE(call.piece("12345"));
  EXPECT_EQ(near.next()->bytes.size(), 16U * 1024);  // not all, or the slow one would be cut
  call.wait_for_room();
  EXPECT_FALSE(call.has_room());
  slow.leave();
  EXPECT_TRUE(call.has_room());
  EXPECT_FALSE(call.stopped());
  EXPECT_EQ(near.drain(), "12345");
}

TEST(SharedAnswerTooLarge, ACallThatWaitsForRoomIsEndedOnceAllLeft) {
  Kept kept;
  const auto answer = shared_answer(kept.options(10));
  TestReader slow(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  EXPECT_TRUE(call.piece("12345678901"));
  EXPECT_FALSE(call.piece("2"));
  call.wait_for_room();
  EXPECT_FALSE(call.has_room());
  slow.leave();
  EXPECT_TRUE(call.has_room());
  EXPECT_TRUE(call.stopped());
}

TEST(SharedAnswerTooLarge, ReadersFarBehindAreCutWhereAnotherHasReadAll) {
  Kept kept;
  const auto answer = shared_answer(kept.options(10));
  TestReader fast(*answer);
  TestReader near(*answer);
  TestReader far(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  call.piece("0123456789");
  EXPECT_EQ(near.drain(), "0123456789");
  call.piece("abcde");
  EXPECT_EQ(fast.drain(), "0123456789abcde");
  EXPECT_TRUE(call.piece("fgh"));
  EXPECT_EQ(far.next().error().kind, ErrorKind::client_timeout);
  EXPECT_EQ(near.drain(), "abcdefgh");
  EXPECT_EQ(fast.drain(), "fgh");
  far.leave();
  near.leave();
  EXPECT_FALSE(call.stopped());
  fast.leave();
  EXPECT_TRUE(call.stopped());
}

TEST(SharedAnswerTooLarge, ReadersMayAlwaysBeSoFarBehind) {
  Kept kept;
  SharedAnswer::Options options = kept.options(10);
  options.max_behind_bytes = 100;
  const auto answer = shared_answer(std::move(options));
  TestReader fast(*answer);
  TestReader slow(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  std::string all;
  for (int i = 0; i < 10; ++i) {
    call.piece("0123456789");
    all += "0123456789";
    fast.drain();
  }
  EXPECT_EQ(slow.drain(), all);
}

TEST(SharedAnswerTooLarge, ACallThatIsStoppedDoesNotWaitForRoom) {
  Kept kept;
  const auto answer = shared_answer(kept.options(1));
  TestReader slow(*answer);
  ScriptedCall call(answer);
  call.begin_with_head();
  EXPECT_TRUE(call.piece("01"));
  EXPECT_FALSE(call.piece("23"));
  call.wait_for_room();
  EXPECT_FALSE(call.has_room());
  call.stopper().stop(broken_call());
  EXPECT_TRUE(call.has_room());
  EXPECT_EQ(call.room().error().detail, "It broke.");
  call.end(broken_call());
  EXPECT_EQ(slow.next()->bytes, "0123");
  EXPECT_FALSE(slow.next());
}

TEST(SharedAnswerKeeping, AWholeAnswerAtOnceIsForAllAndNotKept) {
  Kept kept;
  const auto answer = shared_answer(kept.options(4));
  TestReader early(*answer);
  TestReader whole(*answer);
  ScriptedCall call(answer);
  call.begin();
  auto waits = early.start(early->head());
  chain::Outcome progress;
  progress.attempts = 2;
  SharedHead head = shared_head(answer_head(200, "application/json"), {}, progress);
  answer->end_with(std::move(head), "longer than what is kept");
  early.poll();
  ASSERT_TRUE(waits->finished());
  const SharedHead& seen = **waits->take();
  EXPECT_EQ(seen.attempts, 2U);
  EXPECT_FALSE(seen.from_store);
  EXPECT_EQ(seen.framing.kind, protocol::BodyKind::length);
  EXPECT_EQ(seen.framing.length, 24U);
  const auto piece = early->try_next();
  ASSERT_TRUE(piece && *piece);
  EXPECT_EQ((*piece)->bytes, "longer than what is kept");
  EXPECT_TRUE((*piece)->last);
  const CacheEntryPtr entry = *whole.whole();
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->body, "longer than what is kept");
  EXPECT_EQ(entry->stored_at, 1000);
  EXPECT_TRUE(kept.entries.empty());
  EXPECT_FALSE(answer->read(early.loop().get_executor(), call.stopper()));
}

}  // namespace
}  // namespace aifd::services
