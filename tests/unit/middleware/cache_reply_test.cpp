// Answers from the cache in the form that the caller asked for.
#include "cache_reply.hpp"

#include <gtest/gtest.h>

#include "aifd/chain/relay.hpp"
#include "cache_callers.hpp"

namespace aifd::middleware {
namespace {

using namespace std::chrono_literals;
using services::CacheEntry;

class CacheReplyTest : public testing::Test {
 protected:
  // Kept as the answer to a stream's request.
  void keep_stream(bool with_usage = false) {
    Caller first(world_, kChatPost, ask_stream(with_usage));
    world_.calls[world_.calls.size() - 1].stream(stream_answer(with_usage));
    EXPECT_EQ(first.text(), joined(stream_answer(with_usage)));
  }
  void keep_plain() {
    Caller first(world_, kChatPost, ask());
    world_.calls[0].answer(kJsonAnswer, {{"ETag", "\"1\""}, {"openai-version", "2020-10-01"}});
    EXPECT_TRUE(first.answered());
  }

  CacheWorld world_;
};

TEST_F(CacheReplyTest, AStreamIsReplayedByteForByte) {
  keep_stream();
  Caller again(world_, kChatPost, ask_stream());
  EXPECT_EQ(again.text(), joined(stream_answer()));
  EXPECT_EQ(again.cache(), "hit");
  EXPECT_EQ(again.field("Content-Type"), "text/event-stream");
}

TEST_F(CacheReplyTest, AStreamServesAPlainCaller) {
  keep_stream();
  Caller plain(world_, kChatPost, ask());
  EXPECT_EQ(
      plain.text(),
      R"({"object":"chat.completion","id":"c1","created":1,"model":"m","choices":[{"index":0,)"
      R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]})");
  EXPECT_EQ(plain.field("Content-Type"), "application/json");
  EXPECT_EQ(plain.field("Age"), "0");
  EXPECT_EQ(plain.reply().framing,
            (protocol::BodyFraming{protocol::BodyKind::length, plain.text().size()}));
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheReplyTest, APlainAnswerServesAStreamingCaller) {
  keep_plain();
  Caller stream(world_, kChatPost, ask_stream());
  EXPECT_EQ(stream.field("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_FALSE(stream.has("ETag"));  // of other bytes
  EXPECT_EQ(stream.field("openai-version"), "2020-10-01");
  EXPECT_TRUE(stream.text().ends_with("data: [DONE]\n\n"));
  EXPECT_EQ(stream.text().find("usage"), std::string::npos);
  Caller with_usage(world_, kChatPost, ask_stream(true));
  EXPECT_NE(with_usage.text().find(R"("total_tokens":3)"), std::string::npos);
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheReplyTest, AStreamsUsageIsForWhoAsksForIt) {
  keep_stream(true);
  Caller without(world_, kChatPost, ask_stream());
  EXPECT_EQ(without.text(), joined(stream_answer()));
  EXPECT_EQ(without.field("Content-Length"), "");
  EXPECT_EQ(without.reply().framing.length, joined(stream_answer()).size());
  Caller with(world_, kChatPost, ask_stream(true));
  EXPECT_EQ(with.text(), joined(stream_answer(true)));
  EXPECT_FALSE(with.has(kAskedUsage));
  Caller plain(world_, kChatPost, ask());
  EXPECT_NE(plain.text().find(R"("total_tokens":3)"), std::string::npos);
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheReplyTest, WhoAsksForAUsageThatWasNotRecordedCallsAnewInItsPlace) {
  keep_stream();
  Caller with(world_, kChatPost, ask_stream(true));
  ASSERT_EQ(world_.calls.size(), 2U);
  EXPECT_EQ(with.cache(), "miss");
  world_.calls[1].stream(stream_answer(true));
  EXPECT_EQ(with.text(), joined(stream_answer(true)));
  Caller again(world_, kChatPost, ask_stream(true));
  EXPECT_EQ(again.text(), joined(stream_answer(true)));
  Caller without(world_, kChatPost, ask_stream());
  EXPECT_EQ(without.text(), joined(stream_answer()));
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheReplyTest, AnAnswerThatCannotBeConvertedServesItsOwnFormAlone) {
  Caller first(world_, kChatPost, ask());
  world_.calls[0].answer(R"({"a":1})");
  EXPECT_TRUE(first.answered());
  Caller again(world_, kChatPost, ask());
  EXPECT_EQ(again.cache(), "hit");
  Caller stream(world_, kChatPost, ask_stream());
  EXPECT_EQ(stream.cache(), "miss");
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheReplyTest, AFieldOfOneExchangeIsNotReplayedWhoeverStoredIt) {
  Caller caller(world_, kChatPost, "{}");
  auto entry = std::make_shared<CacheEntry>();
  entry->fields = {{"Set-Cookie", "a=1"}, {"Transfer-Encoding", "chunked"}, {"A", "b"}};
  entry->body = "{}";
  const CacheQuestion question;
  const auto reply = test::run_task(reply_from_entry(*caller, entry, question, 1, world_.aside));
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->head.fields.contains("Set-Cookie"));
  EXPECT_FALSE(reply->head.fields.contains("Transfer-Encoding"));
  EXPECT_EQ(reply->head.fields.get("A"), "b");
  EXPECT_EQ(reply->head.fields.get("Age"), "1");
}

// Takes an answer, and notes when each write was to come. Its clock stands still.
class NotingSink final : public chain::ResponseSink {
 public:
  struct Write {
    std::string bytes;
    Clock::time_point not_before;
  };
  void begin(const protocol::ResponseHead&, const protocol::BodyFraming&) override {}
  Result<bool> write(const chain::Piece& piece) override {
    writes.push_back({std::string(piece.bytes), std::exchange(wait_, {})});
    return true;
  }
  Task<Result<void>> flush() override { co_return Result<void>{}; }
  Task<Result<void>> wait_until(Clock::time_point when) override {
    wait_ = when;
    co_return Result<void>{};
  }

  std::vector<Write> writes;

 private:
  Clock::time_point wait_{};
};

class RhythmTest : public CacheReplyTest {
 protected:
  RhythmTest() { world_.settings.cache.replay = config::CacheReplay::original; }

  // A stream of which the second piece came an hour after the first, and the third an hour later.
  void keep_slow_stream(const std::vector<std::string>& pieces = stream_answer()) {
    keep_stream();
    Caller asks(world_, kChatPost, ask_stream());
    auto slow = std::make_shared<CacheEntry>();
    slow->fields = {{"Content-Type", "text/event-stream"}};
    slow->event_stream = true;
    slow->stored_at = world_.now;
    std::uint32_t at_ms = 0;
    for (const std::string& piece : pieces) {
      slow->rhythm.push_back({slow->body.size(), std::exchange(at_ms, at_ms + 3'600'000)});
      slow->body += piece;
    }
    const auto question =
        read_question(*asks, {.openai = true, .keeps = true, .converts = true}, false);
    world_.store->put(question.value().key, slow);
  }

  std::vector<NotingSink::Write> relay(Caller& caller) {
    NotingSink sink;
    EXPECT_TRUE(test::run_task(world_.loop, chain::relay(*caller, caller.reply(), sink)));
    return std::move(sink.writes);
  }
};

TEST_F(RhythmTest, AStreamGoesOutAsItCame) {
  keep_slow_stream();
  Caller caller(world_, kChatPost, ask_stream());
  const Clock::time_point begun = Clock::now();
  const auto writes = relay(caller);
  const std::vector<std::string> pieces = stream_answer();
  ASSERT_EQ(writes.size(), pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(writes[i].bytes, pieces[i]);
    if (i == 0) continue;
    EXPECT_GE(writes[i].not_before - begun, i * 1h);
    EXPECT_LT(writes[i].not_before - begun, i * 1h + 1min);
  }
}

TEST_F(RhythmTest, AConvertedAnswerGoesOutAtOnce) {
  const std::string stream = joined(stream_answer());
  keep_slow_stream({stream.substr(0, 10), stream.substr(10)});
  Caller plain(world_, kChatPost, ask());
  EXPECT_EQ(plain.cache(), "hit");
  const auto writes = relay(plain);
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].not_before, Clock::time_point{});
}

TEST_F(RhythmTest, PiecesCutOtherwiseComeWhenTheirFirstByteDid) {
  Caller caller(world_, kChatPost, "{}");
  auto entry = std::make_shared<CacheEntry>();
  entry->body = "aabbcc";
  entry->rhythm = {{0, 0}, {2, 100}, {4, 300}};
  replay_in_rhythm(*caller, entry);
  chain::Tap& tap = *caller->taps().back();
  const Clock::time_point first = tap.on_chunk("a");
  EXPECT_EQ(caller->cutter()->cut("abbcc"), 1U);
  EXPECT_EQ(tap.on_chunk("ab"), first);
  EXPECT_EQ(tap.on_chunk("b") - first, 100ms);
  EXPECT_EQ(caller->cutter()->cut("cc"), 2U);
  EXPECT_EQ(tap.on_chunk("cc") - first, 300ms);
  EXPECT_EQ(caller->cutter()->cut("more"), 4U);
}

TEST_F(RhythmTest, ARhythmThatGoesBackDoesNoHarm) {
  Caller caller(world_, kChatPost, "{}");
  auto entry = std::make_shared<CacheEntry>();
  entry->body = "aabbcc";
  entry->rhythm = {{0, 0}, {4, 100}, {0, 50}, {2, 7}};
  replay_in_rhythm(*caller, entry);
  EXPECT_EQ(caller->cutter()->cut("aabbcc"), 4U);
  caller->taps().back()->on_chunk("aabb");
  EXPECT_EQ(caller->cutter()->cut("cc"), 2U);
}

TEST_F(CacheReplyTest, InstantlyNothingIsCutOrWaitsFor) {
  keep_stream();
  Caller again(world_, kChatPost, ask_stream());
  EXPECT_TRUE(again.answered());
  EXPECT_EQ(again->cutter(), nullptr);
}

}  // namespace
}  // namespace aifd::middleware
