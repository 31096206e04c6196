#include "aifd/chain/request_body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "support/run_task.hpp"
#include "support/scripted_body.hpp"

namespace aifd::chain {
namespace {

using protocol::BodyFraming;
using protocol::BodyKind;
using test::ScriptedBody;

const BodyFraming kChunked{BodyKind::chunked, 0};

BodyFraming length(std::uint64_t bytes) {
  return {BodyKind::length, bytes};
}

Result<bool> hold(RequestBody& body, std::uint64_t max_bytes) {
  return test::run_task(body.hold(max_bytes));
}

Result<Piece> next(RequestBody& body) {
  return test::run_task(body.next());
}

TEST(RequestBodyWithoutBody, IsWholeAndNeverReadsTheSource) {
  ScriptedBody source;
  RequestBody body(source, {});
  EXPECT_TRUE(*hold(body, 0));
  EXPECT_EQ(body.held(), "");
  EXPECT_TRUE(body.held_whole());
  EXPECT_EQ(body.framing(), BodyFraming{});
  EXPECT_TRUE(body.ready());
  const Result<Piece> piece = next(body);
  EXPECT_TRUE(piece->last);
  EXPECT_EQ(piece->bytes, "");
  EXPECT_TRUE(body.sent_whole());
  EXPECT_EQ(source.reads(), 0U);
  EXPECT_TRUE(body.rewind());
}

TEST(RequestBodyHold, KeepsABodyOfOnePieceWithoutACopy) {
  ScriptedBody source({{"hello", true}});
  RequestBody body(source, length(5));
  EXPECT_TRUE(*hold(body, 5));
  EXPECT_EQ(body.held(), "hello");
  EXPECT_EQ(body.held().data(), source.current().data());
  EXPECT_TRUE(body.held_whole());
  EXPECT_EQ(body.bytes_read(), 5U);
}

TEST(RequestBodyHold, JoinsSeveralPieces) {
  ScriptedBody source({{"one "}, {""}, {"two "}, {"three", true}});
  RequestBody body(source, kChunked);
  EXPECT_TRUE(*hold(body, 100));
  EXPECT_EQ(body.held(), "one two three");
  EXPECT_TRUE(body.held_whole());
  EXPECT_EQ(body.bytes_read(), 13U);
}

TEST(RequestBodyHold, TakesAnEmptyLastPieceAsTheEnd) {
  ScriptedBody source({{"all of it"}, {"", true}});
  RequestBody body(source, kChunked);
  EXPECT_TRUE(*hold(body, 9));
  EXPECT_EQ(body.held(), "all of it");
}

TEST(RequestBodyTryHold, TakesWhatIsHere) {
  TextBody source("hello");
  RequestBody body(source, length(5));
  EXPECT_TRUE(body.try_hold(5).value().value());
  EXPECT_EQ(body.held(), "hello");
  EXPECT_EQ(body.bytes_read(), 5U);
  EXPECT_FALSE(body.try_hold(4).value().value());
}

TEST(RequestBodyTryHold, LeavesToHoldWhatIsNot) {
  ScriptedBody source({{"one "}, {"two", true}});
  RequestBody body(source, kChunked);
  EXPECT_FALSE(body.try_hold(100).has_value());
  EXPECT_TRUE(*hold(body, 100));
  EXPECT_EQ(body.held(), "one two");
}

TEST(RequestBodyTryHold, ReadsNothingOfALengthOverTheLimit) {
  TextBody source("hello");
  RequestBody body(source, length(5));
  EXPECT_FALSE(body.try_hold(4).value().value());
  EXPECT_EQ(body.held(), "");
}

TEST(RequestBodyHold, ReadsNothingOfALengthOverTheLimit) {
  ScriptedBody source({{"hello", true}});
  RequestBody body(source, length(5));
  EXPECT_FALSE(*hold(body, 4));
  EXPECT_EQ(source.reads(), 0U);
  EXPECT_EQ(body.framing(), length(5));
}

TEST(RequestBodyHold, StopsSoonAfterTheLimitAndKeepsWhatWasRead) {
  ScriptedBody source({{"abc"}, {"def"}, {"ghi"}, {"jkl", true}});
  RequestBody body(source, kChunked);
  EXPECT_FALSE(*hold(body, 5));
  EXPECT_EQ(body.held(), "abcdef");
  EXPECT_FALSE(body.held_whole());
  EXPECT_EQ(source.reads(), 2U);
  EXPECT_EQ(body.framing(), kChunked);

  const test::WholeBody sent = test::read_all(body);
  EXPECT_TRUE(sent.whole);
  EXPECT_EQ(sent.bytes, "abcdefghijkl");
  EXPECT_TRUE(body.sent_whole());
}

TEST(RequestBodyHold, IsFalseForOnePieceOverTheLimitButSendsItAll) {
  ScriptedBody source({{"abcdef", true}});
  RequestBody body(source, kChunked);
  EXPECT_FALSE(*hold(body, 5));
  EXPECT_EQ(test::read_all(body).bytes, "abcdef");
}

TEST(RequestBodyHold, GoesOnWhereItStoppedWithALargerLimit) {
  ScriptedBody source({{"abc"}, {"def"}, {"ghi", true}});
  RequestBody body(source, kChunked);
  EXPECT_FALSE(*hold(body, 2));
  EXPECT_FALSE(*hold(body, 2));
  EXPECT_TRUE(*hold(body, 9));
  EXPECT_EQ(body.held(), "abcdefghi");
  EXPECT_TRUE(*hold(body, 9));
  EXPECT_FALSE(*hold(body, 8));
}

TEST(RequestBodyHold, PassesOnTheSourcesError) {
  ScriptedBody source({{"abc"}, {.bytes = "", .broken = true}});
  RequestBody body(source, kChunked);
  const Result<bool> held = hold(body, 100);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().kind, ErrorKind::upstream_broke);
  EXPECT_FALSE(body.held_whole());
}

// Writes as much as there is room for where it is asked to.
class RoomyBody final : public BodySource {
 public:
  explicit RoomyBody(std::string bytes, bool is_ready = true)
      : bytes_(std::move(bytes)), is_ready_(is_ready) {}

  Task<Result<Piece>> next() override {
    ++plain_reads_;
    is_ready_ = true;
    current_ = bytes_.substr(given_, 10);
    given_ += current_.size();
    co_return Piece{current_, given_ == bytes_.size()};
  }
  Task<Result<Piece>> next_into(std::span<char> room) override {
    largest_room_ = std::max(largest_room_, room.size());
    const std::size_t count =
        bytes_.copy(room.data(), std::min<std::size_t>(room.size(), 40'000), given_);
    given_ += count;
    co_return Piece{{room.data(), count}, given_ == bytes_.size()};
  }
  bool ready() const noexcept override { return is_ready_; }

  std::size_t plain_reads() const noexcept { return plain_reads_; }
  std::size_t largest_room() const noexcept { return largest_room_; }

 private:
  std::string bytes_;
  std::string current_;
  std::size_t given_ = 0;
  std::size_t plain_reads_ = 0;
  std::size_t largest_room_ = 0;
  bool is_ready_;
};

std::string numbers(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  text.resize(bytes);
  return text;
}

TEST(RequestBodyHold, ReadsALongBodyToWhereItIsHeld) {
  for (const std::size_t bytes : {20'000U, 100'000U, 1'000'000U}) {
    const std::string text = numbers(bytes);
    RoomyBody source(text);
    RequestBody body(source, length(bytes));
    ASSERT_TRUE(*hold(body, bytes));
    EXPECT_EQ(body.held(), text);
    EXPECT_TRUE(body.held_whole());
    EXPECT_EQ(body.bytes_read(), bytes);
    EXPECT_GT(source.largest_room(), 16'000U);
    EXPECT_LE(source.plain_reads() * 10, 16'384U + 10U) << "its last bytes at most";
    EXPECT_EQ(body.share().view().data(), body.held().data());
    EXPECT_EQ(test::read_all(body).bytes, text);
  }
}

TEST(RequestBodyHold, MakesNoRoomForALongBodyOfWhichNothingIsHere) {
  RoomyBody source(numbers(100'000), false);
  RequestBody body(source, length(100'000));
  ASSERT_TRUE(*hold(body, 100'000));
  EXPECT_GE(source.plain_reads(), 1U);
  EXPECT_EQ(body.held(), numbers(100'000));
}

TEST(RequestBodyHold, ReadsNoShortBodyIntoRoom) {
  RoomyBody source(numbers(10'000));
  RequestBody body(source, length(10'000));
  ASSERT_TRUE(*hold(body, 10'000));
  EXPECT_EQ(source.largest_room(), 0U);
}

TEST(RequestBodyShare, OutlivesTheSourceAndWhatReplacesIt) {
  for (const bool in_one_piece : {true, false}) {
    auto source = std::make_unique<ScriptedBody>(
        in_one_piece ? std::vector<ScriptedBody::Step>{{"abcdef", true}}
                     : std::vector<ScriptedBody::Step>{{"abc"}, {"def", true}});
    auto body = std::make_unique<RequestBody>(*source, length(6));
    ASSERT_TRUE(*hold(*body, 100));
    const SharedText shared = body->share();
    body->replace(0, 1, "X");
    EXPECT_EQ(body->share().view(), "Xbcdef");
    body.reset();
    source.reset();
    EXPECT_EQ(shared.view(), "abcdef");
  }
}

TEST(RequestBodyFraming, IsTheLengthOfWhatIsHeldWhole) {
  ScriptedBody source({{"abc"}, {"def", true}});
  RequestBody body(source, kChunked);
  EXPECT_EQ(body.framing(), kChunked);
  ASSERT_TRUE(*hold(body, 100));
  EXPECT_EQ(body.framing(), length(6));
  ASSERT_TRUE(test::read_all(body).whole);
  EXPECT_EQ(body.framing(), length(6));
}

TEST(RequestBodyFraming, StaysChunkedOnceItStreamed) {
  ScriptedBody source({{"abc"}, {"def", true}});
  RequestBody body(source, kChunked);
  ASSERT_TRUE(test::read_all(body).whole);
  EXPECT_EQ(body.framing(), kChunked);
}

TEST(RequestBodyReplace, ChangesTheBytesAndTheLength) {
  struct Case {
    std::size_t offset, length;
    std::string_view with, expected;
  };
  const Case cases[] = {
      {0, 0, "x", "xabcdef"}, {6, 0, "x", "abcdefx"},
      {2, 3, "", "abf"},      {0, 6, "longer than it was", "longer than it was"},
      {1, 1, "B", "aBcdef"},
  };
  for (const Case& c : cases) {
    for (const bool in_one_piece : {true, false}) {
      ScriptedBody source(in_one_piece ? std::vector<ScriptedBody::Step>{{"abcdef", true}}
                                       : std::vector<ScriptedBody::Step>{{"abc"}, {"def", true}});
      RequestBody body(source, length(6));
      ASSERT_TRUE(*hold(body, 100));
      body.replace(c.offset, c.length, c.with);
      EXPECT_EQ(body.held(), c.expected);
      EXPECT_EQ(body.framing(), length(c.expected.size()));
      EXPECT_EQ(test::read_all(body).bytes, c.expected);
      EXPECT_EQ(body.bytes_read(), 6U) << "what the client sent is counted, not what goes up";
    }
  }
}

TEST(RequestBodyReplace, MayBeDoneTwice) {
  ScriptedBody source({{"a b", true}});
  RequestBody body(source, length(3));
  ASSERT_TRUE(*hold(body, 100));
  body.replace(0, 1, "first");
  body.replace(6, 1, "second");
  EXPECT_EQ(body.held(), "first second");
}

TEST(RequestBodyNext, GivesWhatIsHeldAtOnceThenTheRest) {
  ScriptedBody source({{"abc"}, {"def"}, {.bytes = "ghi", .last = true, .late = true}});
  RequestBody body(source, kChunked);
  ASSERT_FALSE(*hold(body, 2));
  ASSERT_FALSE(*hold(body, 4));
  EXPECT_TRUE(body.ready());
  EXPECT_EQ(next(body)->bytes, "abcdef");
  EXPECT_FALSE(body.ready());
  EXPECT_FALSE(body.sent_whole());
  const Result<Piece> last = next(body);
  EXPECT_EQ(last->bytes, "ghi");
  EXPECT_TRUE(last->last);
  EXPECT_TRUE(body.sent_whole());
}

TEST(RequestBodyRewind, BeginsAgainWithWhatIsHeldWhole) {
  ScriptedBody source({{"abc"}, {"def", true}});
  RequestBody body(source, kChunked);
  ASSERT_TRUE(*hold(body, 100));
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(test::read_all(body).bytes, "abcdef");
    EXPECT_TRUE(body.rewind());
    EXPECT_FALSE(body.sent_whole());
  }
}

TEST(RequestBodyRewind, IsPossibleBeforeAnyByteWentUnheld) {
  ScriptedBody source({{"abc"}, {"def", true}});
  RequestBody body(source, kChunked);
  EXPECT_TRUE(body.rewind()) << "nothing was read yet";
  ASSERT_FALSE(*hold(body, 2));
  EXPECT_EQ(next(body)->bytes, "abc");
  EXPECT_TRUE(body.rewind());
  EXPECT_EQ(test::read_all(body).bytes, "abcdef");
}

TEST(RequestBodyRewind, IsRefusedOnceBytesWentUnheld) {
  ScriptedBody source({{"abc"}, {"def", true}});
  RequestBody body(source, kChunked);
  EXPECT_EQ(next(body)->bytes, "abc");
  EXPECT_FALSE(body.rewind());
  EXPECT_EQ(next(body)->bytes, "def");
  EXPECT_FALSE(body.rewind());
}

TEST(RequestBodyPeek, KnowsTheModelThatWasAskedForWhateverTheBodyBecomes) {
  test::ScriptedBody source({{R"({"model":"asked","stream":true})", true}});
  RequestBody body(source, {protocol::BodyKind::length, 31});
  EXPECT_EQ(body.peek(), nullptr) << "it is not here yet";
  EXPECT_EQ(body.asked_model(100), "");
  ASSERT_TRUE(test::run_task(body.hold(100)).value());
  ASSERT_NE(body.peek(), nullptr);
  EXPECT_EQ(body.peek()->stream, true);
  body.replace(10, 5, "other");
  EXPECT_EQ(body.peek()->model, "other");
  EXPECT_EQ(body.asked_model(100), "asked");
}

TEST(RequestBodyPeek, LooksNotAtMoreThanItIsTo) {
  test::ScriptedBody source({{R"({"model":"asked"})", true}});
  RequestBody body(source, {protocol::BodyKind::length, 17});
  ASSERT_TRUE(test::run_task(body.hold(100)).value());
  EXPECT_EQ(body.asked_model(16), "");
  EXPECT_EQ(body.asked_model(17), "asked");
}

}  // namespace
}  // namespace aifd::chain
