#include "aifd/chain/relay.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::chain {
namespace {

using std::chrono::hours;
using test::RecordingTap;
using test::ScriptedBody;
using test::TestExchange;
using Journal = std::vector<std::string>;
using Steps = std::vector<ScriptedBody::Step>;

// Takes everything at once unless a test says otherwise, and notes each call.
class RecordingSink final : public ResponseSink {
 public:
  explicit RecordingSink(Journal& journal) : journal_(journal) {}

  void begin(const protocol::ResponseHead& begun, const protocol::BodyFraming& framing) override {
    head = begun;
    journal_.push_back(framing.kind == protocol::BodyKind::none ? "begin without body" : "begin");
  }

  Result<bool> write(const Piece& piece) override {
    journal_.push_back("write " + std::string(piece.bytes) + (piece.last ? "." : ""));
    if (write_error) return *write_error;
    return !slow;
  }

  Task<Result<void>> flush() override {
    journal_.push_back("flush");
    if (flush_error) co_return *flush_error;
    co_return Result<void>{};
  }

  Task<Result<void>> wait_until(Clock::time_point when) override {
    waited_until.push_back(when);
    journal_.push_back("wait");
    if (wait_error) co_return *wait_error;
    co_return Result<void>{};
  }

  protocol::ResponseHead head;
  bool slow = false;  // a write leaves a rest
  std::optional<Error> write_error, flush_error, wait_error;
  std::vector<Clock::time_point> waited_until;

 private:
  Journal& journal_;
};

const Error kGone{ErrorKind::client_gone, ErrorSource::client, false, "gone"};

class RelayTest : public testing::Test {
 protected:
  Reply reply_of(Steps steps) {
    Reply reply;
    reply.head.status = 200;
    reply.framing = {protocol::BodyKind::chunked, 0};
    auto body = std::make_unique<ScriptedBody>(std::move(steps));
    body_ = body.get();
    reply.body = std::move(body);
    return reply;
  }

  Result<void> relay_to_sink(Reply& reply) {
    return test::run_task(relay(*exchange_, reply, sink_));
  }

  Result<void> relay_steps(Steps steps) {
    reply_ = reply_of(std::move(steps));
    return relay_to_sink(reply_);
  }

  void add_tap(const std::string& name, std::vector<Clock::time_point> not_before = {}) {
    exchange_->add_tap(std::make_unique<RecordingTap>(name, journal_, std::move(not_before)));
  }

  Journal journal_;
  TestExchange exchange_{"GET /v1/models"};
  RecordingSink sink_{journal_};
  Reply reply_;
  ScriptedBody* body_ = nullptr;  // of the reply made last
};

TEST_F(RelayTest, ShowsTheHeadAndEachPieceToTheTapsBeforeTheClientGetsIt) {
  add_tap("a");
  add_tap("b");
  EXPECT_TRUE(relay_steps({{"one"}, {"two", true}}));
  exchange_->finish(EndedBy::complete);
  EXPECT_EQ(journal_, (Journal{"a head 200", "b head 200", "begin", "a chunk one", "b chunk one",
                               "write one", "a chunk two", "b chunk two", "write two.",
                               "b done complete", "a done complete"}));
}

TEST_F(RelayTest, TellsWhereTheTimeWent) {
  exchange_->progress.started = Clock::now();
  EXPECT_TRUE(relay_steps({{"one", true}}));
  const std::string own(sink_.head.fields.get("Server-Timing"));
  EXPECT_TRUE(own.starts_with("aifd;dur=")) << own;
  EXPECT_EQ(own.find("upstream"), std::string::npos) << own;

  exchange_->progress.asked = exchange_->progress.started + std::chrono::microseconds(1);
  exchange_->progress.head_received = exchange_->progress.asked + std::chrono::hours(1);
  EXPECT_TRUE(relay_steps({{"one", true}}));
  EXPECT_EQ(sink_.head.fields.get("Server-Timing"), "aifd;dur=0.000, upstream;dur=3600000.000")
      << "an hour at the upstream is none of aifd's own time";
}

TEST_F(RelayTest, CountsTheTokensForWhoeverAsks) {
  EXPECT_TRUE(relay_steps({{R"({"usage":{"total_tokens":3}})", true}}));
  EXPECT_EQ(exchange_->usage(), nullptr);
  exchange_->count_usage();
  EXPECT_TRUE(relay_steps({{R"({"usage":{"tot)"}, {R"(al_tokens":3}})", true}}));
  ASSERT_NE(exchange_->usage(), nullptr);
  EXPECT_EQ(exchange_->usage()->usage()->total, 3U);
}

TEST_F(RelayTest, FlushesTheHeadAloneWhenTheBodyIsNotThereYet) {
  EXPECT_TRUE(relay_steps({{.bytes = "one", .last = true, .late = true}}));
  EXPECT_EQ(journal_, (Journal{"begin", "flush", "write one."}));
}

TEST_F(RelayTest, LeavesTheHeadToTheFirstPieceWhenThatIsThere) {
  EXPECT_TRUE(relay_steps({{"one", true}}));
  EXPECT_EQ(journal_, (Journal{"begin", "write one."}));
}

TEST_F(RelayTest, FinishesAPieceBeforeItReadsTheNext) {
  sink_.slow = true;
  EXPECT_TRUE(relay_steps({{"one"}, {"two"}, {"three", true}}));
  EXPECT_EQ(journal_, (Journal{"begin", "write one", "flush", "write two", "flush", "write three.",
                               "flush"}));
}

TEST_F(RelayTest, ReadsNoFurtherThanTheClientTakes) {
  sink_.slow = true;
  sink_.flush_error = kGone;
  const Result<void> relayed = relay_steps({{"one"}, {"two"}, {"three", true}});
  ASSERT_FALSE(relayed);
  EXPECT_EQ(relayed.error().kind, ErrorKind::client_gone);
  EXPECT_EQ(body_->reads(), 1U);
}

TEST_F(RelayTest, WaitsWhereATapSaysNotYetAndFlushesWhatIsLeftBefore) {
  const Clock::time_point later = Clock::now() + hours(1);
  add_tap("a", {kAtOnce, later});
  EXPECT_TRUE(relay_steps({{"one"}, {"two", true}}));
  EXPECT_EQ(journal_, (Journal{"a head 200", "begin", "a chunk one", "write one", "a chunk two",
                               "flush", "wait", "write two."}));
  EXPECT_EQ(sink_.waited_until, std::vector{later});
}

// Takes at most so many bytes at a time.
class EvenCutter final : public Cutter {
 public:
  explicit EvenCutter(std::size_t most) : most_(most) {}
  std::size_t cut(std::string_view bytes) noexcept override {
    return std::min(most_, bytes.size());
  }

 private:
  std::size_t most_;
};

TEST_F(RelayTest, CutsAPieceWhereThatIsWantedAndShowsEachPart) {
  EvenCutter cutter(2);
  exchange_->set_cutter(cutter);
  add_tap("a");
  EXPECT_TRUE(relay_steps({{"one"}, {"", true}}));
  EXPECT_EQ(journal_, (Journal{"a head 200", "begin", "a chunk on", "write on", "a chunk e",
                               "write e", "write ."}));
  EXPECT_EQ(exchange_->progress.bytes_out, 3U);
}

TEST_F(RelayTest, EndsWithTheLastPartOfTheLastPiece) {
  EvenCutter cutter(2);
  exchange_->set_cutter(cutter);
  EXPECT_TRUE(relay_steps({{"abcd", true}}));
  EXPECT_EQ(journal_, (Journal{"begin", "write ab", "write cd."}));
}

TEST_F(RelayTest, WaitsForEachPartAndReadsNoFurtherMeanwhile) {
  const Clock::time_point later = Clock::now() + hours(1);
  EvenCutter cutter(2);
  exchange_->set_cutter(cutter);
  add_tap("a", {kAtOnce, later});
  sink_.wait_error = kGone;
  EXPECT_FALSE(relay_steps({{"abcd"}, {"ef", true}}));
  EXPECT_EQ(sink_.waited_until, std::vector{later});
  EXPECT_EQ(body_->reads(), 1U);
}

class StatusEdit final : public ReplyEdit {
 public:
  explicit StatusEdit(int from, Result<int> to) : from_(from), to_(std::move(to)) {}
  Task<Result<Reply>> edit(Exchange&, Reply reply) override {
    EXPECT_EQ(reply.head.status, from_);
    if (!to_) co_return to_.error();
    reply.head.status = *to_;
    co_return reply;
  }

 private:
  int from_;
  Result<int> to_;
};

TEST_F(RelayTest, EditsAnAnswerInTheOrderTheEditsWereAdded) {
  exchange_->add_edit(std::make_unique<StatusEdit>(200, 201));
  exchange_->add_edit(std::make_unique<StatusEdit>(201, 202));
  const Result<Reply> reply = test::run_task(edited(*exchange_, reply_of({{"x", true}})));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.status, 202);
}

TEST_F(RelayTest, EndsWithTheFirstEditThatFails) {
  exchange_->add_edit(std::make_unique<StatusEdit>(200, kGone));
  exchange_->add_edit(std::make_unique<StatusEdit>(0, 202));
  EXPECT_FALSE(test::run_task(edited(*exchange_, reply_of({{"x", true}}))));
}

TEST_F(RelayTest, WaitsForTheLatestOfSeveralTaps) {
  const Clock::time_point sooner = Clock::now() + hours(1);
  const Clock::time_point later = sooner + hours(1);
  add_tap("a", {later});
  add_tap("b", {sooner});
  EXPECT_TRUE(relay_steps({{"one", true}}));
  EXPECT_EQ(sink_.waited_until, std::vector{later});
}

TEST_F(RelayTest, DoesNotWaitForATimeThatHasPassed) {
  add_tap("a", {Clock::now() - hours(1)});
  EXPECT_TRUE(relay_steps({{"one", true}}));
  EXPECT_TRUE(sink_.waited_until.empty());
}

TEST_F(RelayTest, StopsWhenTheClientLeavesDuringAWait) {
  add_tap("a", {Clock::now() + hours(1)});
  sink_.wait_error = kGone;
  const Result<void> relayed = relay_steps({{"one"}, {"two", true}});
  ASSERT_FALSE(relayed);
  EXPECT_EQ(relayed.error().kind, ErrorKind::client_gone);
  EXPECT_EQ(journal_.back(), "wait");
}

TEST_F(RelayTest, StopsWhenTheClientTakesNothingMore) {
  sink_.write_error = kGone;
  const Result<void> relayed = relay_steps({{"one"}, {"two", true}});
  ASSERT_FALSE(relayed);
  EXPECT_EQ(relayed.error().source, ErrorSource::client);
  EXPECT_EQ(body_->reads(), 1U);
}

TEST_F(RelayTest, StopsWhenTheClientLeavesBeforeTheBodyBegins) {
  sink_.flush_error = kGone;
  EXPECT_FALSE(relay_steps({{.bytes = "one", .last = true, .late = true}}));
  EXPECT_EQ(body_->reads(), 0U);
}

TEST_F(RelayTest, NeverFinishesABrokenBody) {
  add_tap("a");
  const Result<void> relayed = relay_steps({{"one"}, {.bytes = "", .broken = true}});
  ASSERT_FALSE(relayed);
  EXPECT_EQ(relayed.error().kind, ErrorKind::upstream_broke);
  EXPECT_EQ(journal_, (Journal{"a head 200", "begin", "a chunk one", "write one"}));
}

TEST_F(RelayTest, LeavesTheClientUntouchedWhenTheBodyBreaksBeforeItsFirstByte) {
  EXPECT_FALSE(relay_steps({{.bytes = "", .broken = true}}));
  EXPECT_EQ(journal_, (Journal{"begin"}));
}

TEST_F(RelayTest, DoesNotShowAnEmptyLastPieceToTheTaps) {
  add_tap("a");
  EXPECT_TRUE(relay_steps({{"one"}, {"", true}}));
  EXPECT_EQ(journal_, (Journal{"a head 200", "begin", "a chunk one", "write one", "write ."}));
}

TEST_F(RelayTest, FlushesAnAnswerWithoutBody) {
  Reply reply;
  reply.head.status = 204;
  EXPECT_TRUE(relay_to_sink(reply));
  EXPECT_EQ(journal_, (Journal{"begin without body", "flush"}));
}

TEST_F(RelayTest, CountsBytesAndNotesTheStatus) {
  EXPECT_TRUE(relay_steps({{"12345"}, {"678", true}}));
  EXPECT_EQ(exchange_->progress.bytes_out, 8U);
  EXPECT_EQ(exchange_->progress.status, 200);
}

TEST_F(RelayTest, NamesTheExchangeInXRequestId) {
  EXPECT_TRUE(relay_steps({{"one", true}}));
  EXPECT_EQ(sink_.head.fields.get("x-request-id"), "req_1");
  EXPECT_FALSE(sink_.head.fields.contains("x-aifd-request-id"));
}

TEST_F(RelayTest, LeavesTheUpstreamsRequestIdItsName) {
  Reply reply = reply_of({{"one", true}});
  reply.head.fields.add("X-Request-ID", "theirs");
  EXPECT_TRUE(relay_to_sink(reply));
  EXPECT_EQ(sink_.head.fields.get("x-request-id"), "theirs");
  EXPECT_EQ(sink_.head.fields.count("x-request-id"), 1U);
  EXPECT_EQ(sink_.head.fields.get("x-aifd-request-id"), "req_1");
}

TEST_F(RelayTest, AsksProxiesInFrontNotToCollectAnEventStreamAndNothingElse) {
  struct Case {
    std::string_view content_type, buffering_before, buffering_after;
  };
  const Case cases[] = {
      {"text/event-stream", "", "no"},
      {"text/event-stream; charset=utf-8", "", "no"},
      {"Text/Event-Stream", "", "no"},
      {"text/event-stream", "yes", "yes"},
      {"application/json", "", ""},
      {"text/plain", "", ""},
      {"", "", ""},
  };
  for (const Case& c : cases) {
    Reply reply = reply_of({{"one", true}});
    if (!c.content_type.empty()) reply.head.fields.add("content-type", c.content_type);
    if (!c.buffering_before.empty()) {
      reply.head.fields.add("X-Accel-Buffering", c.buffering_before);
    }
    EXPECT_TRUE(relay_to_sink(reply));
    EXPECT_EQ(sink_.head.fields.get("X-Accel-Buffering"), c.buffering_after) << c.content_type;
    EXPECT_LE(sink_.head.fields.count("X-Accel-Buffering"), 1U);
  }
}

}  // namespace
}  // namespace aifd::chain
