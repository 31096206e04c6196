// Equal requests at a time: who shares whose call, and what of it.
#include <gtest/gtest.h>

#include "cache_callers.hpp"

namespace aifd::middleware {
namespace {

using services::CacheField;

const Error kUnreachable{ErrorKind::upstream_unreachable, ErrorSource::upstream, true,
                         "Nobody listens."};

class CacheFlightTest : public testing::Test {
 protected:
  CacheWorld world_;
};

TEST_F(CacheFlightTest, OneCallAnswersAllWhoAskTheSame) {
  Caller first(world_, kChatPost, ask());
  Caller second(world_, kChatPost, ask());
  Caller third(world_, kChatPost, R"({"messages":[], "caching":true, "user":"u", "model":"m"})");
  ASSERT_EQ(world_.calls.size(), 1U);
  EXPECT_EQ(world_.flights.size(), 1U);
  world_.calls[0].answer(kJsonAnswer);
  for (Caller* caller : {&first, &second, &third}) {
    EXPECT_EQ(caller->text(), kJsonAnswer);
    EXPECT_EQ(caller->status(), 200);
  }
  EXPECT_EQ(first.field("x-aifd-cache"), "miss");
  EXPECT_FALSE(first.has("Age"));
  EXPECT_EQ(third.field("x-aifd-cache"), "hit");
  EXPECT_EQ(third.field("Age"), "0");
  EXPECT_EQ(third->progress.attempts, 0U);
  EXPECT_EQ(third->progress.head_received, Clock::time_point{});  // no word on its own API key
}

TEST_F(CacheFlightTest, ALateFollowerGetsThePastOfAStreamAndThenWhatComes) {
  Caller first(world_, kChatPost, ask_stream());
  world_.calls[0].head({{"Content-Type", "text/event-stream"}});
  world_.calls[0].piece("data: 1\n\n");
  EXPECT_EQ(first.bytes_here(), "data: 1\n\n");
  Caller late(world_, kChatPost, ask_stream());
  EXPECT_EQ(late.bytes_here(), "data: 1\n\n");
  EXPECT_EQ(late.bytes_here(), "");
  world_.calls[0].piece("data: 2\n\n");
  EXPECT_EQ(late.bytes_here(), "data: 2\n\n");
  world_.calls[0].end();
  EXPECT_EQ(late.text(), "");
  EXPECT_EQ(first.text(), "data: 2\n\n");
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheFlightTest, AFollowerGetsNoFieldThatIsTrueOfTheLeaderAlone) {
  const std::vector<CacheField> fields{{"Set-Cookie", "a=1"},
                                       {"X-Request-Id", "req_up"},
                                       {"x-ratelimit-remaining-requests", "9"},
                                       {"Age", "7"},
                                       {"openai-version", "2020-10-01"}};
  Caller leader(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask());
  world_.calls[0].answer(kJsonAnswer, fields);
  EXPECT_EQ(leader.field("Set-Cookie"), "a=1");
  EXPECT_EQ(leader.field("x-request-id"), "req_up");
  EXPECT_EQ(leader.field("x-ratelimit-remaining-requests"), "9");
  EXPECT_EQ(leader.field("Age"), "7");
  EXPECT_FALSE(follower.has("Set-Cookie"));
  EXPECT_FALSE(follower.has("x-request-id"));
  EXPECT_FALSE(follower.has("x-ratelimit-remaining-requests"));
  EXPECT_EQ(follower.field("openai-version"), "2020-10-01");
  EXPECT_EQ(follower.field("Content-Type"), "application/json");
  EXPECT_EQ(follower.field("Age"), "0");
}

// Of another form it is made of the whole answer, kept or not.
TEST_F(CacheFlightTest, AFollowerInTheOtherFormGetsNoSuchFieldEither) {
  Caller leader(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask_stream());
  world_.calls[0].answer(kJsonAnswer, {{"Set-Cookie", "a=1"},
                                       {"X-Request-Id", "req_up"},
                                       {"Vary", "User-Agent"},
                                       {"openai-version", "2020-10-01"}});
  EXPECT_EQ(follower.field("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(follower.field("x-aifd-cache"), "hit");
  EXPECT_FALSE(follower.has("Set-Cookie"));
  EXPECT_FALSE(follower.has("x-request-id"));
  EXPECT_EQ(follower.field("openai-version"), "2020-10-01");
  EXPECT_EQ(follower.field("Age"), "0");
}

TEST_F(CacheFlightTest, AFollowerInTheOtherFormWaitsForTheWholeAndGetsItConverted) {
  Caller streaming(world_, kChatPost, ask_stream());
  Caller plain(world_, kChatPost, ask());
  ASSERT_EQ(world_.calls.size(), 1U);
  world_.calls[0].head({{"Content-Type", "text/event-stream"}});
  for (const std::string& bytes : stream_answer()) world_.calls[0].piece(bytes);
  EXPECT_TRUE(streaming.answered());
  EXPECT_FALSE(plain.answered());
  world_.calls[0].end();
  EXPECT_EQ(streaming.text(), joined(stream_answer()));
  EXPECT_NE(plain.text().find(R"("content":"Hello")"), std::string::npos) << plain.text();
  EXPECT_EQ(plain.field("Content-Type"), "application/json");
  EXPECT_EQ(plain.cache(), "hit");
}

TEST_F(CacheFlightTest, StreamsWithUsageAndWithoutDoNotShareACall) {
  Caller without(world_, kChatPost, ask_stream());
  Caller with(world_, kChatPost, ask_stream(true));
  Caller plain(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheFlightTest, WhomAnAnswerCannotServeCallsItself) {
  Caller plain(world_, kChatPost, ask());
  Caller streaming(world_, kChatPost, ask_stream());
  world_.calls[0].answer(R"({"cannot":"be told in pieces"})");
  EXPECT_FALSE(streaming.answered());
  ASSERT_EQ(world_.calls.size(), 2U);
  world_.calls[1].stream(stream_answer());
  EXPECT_EQ(streaming.text(), joined(stream_answer()));
  EXPECT_EQ(streaming.field("x-aifd-cache"), "miss");
  EXPECT_EQ(plain.text(), R"({"cannot":"be told in pieces"})");
}

TEST_F(CacheFlightTest, AllWhomAnAnswerCannotServeShareTheNext) {
  Caller plain(world_, kChatPost, ask());
  Caller one(world_, kChatPost, ask_stream());
  Caller two(world_, kChatPost, ask_stream());
  world_.calls[0].answer(R"({"cannot":"be told in pieces"})");
  EXPECT_FALSE(one.answered());
  EXPECT_FALSE(two.answered());
  ASSERT_EQ(world_.calls.size(), 2U);
  world_.calls[1].stream(stream_answer());
  EXPECT_EQ(one.text(), joined(stream_answer()));
  EXPECT_EQ(two.text(), joined(stream_answer()));
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheFlightTest, WhoWaitsForTheWholeOfATooLargeAnswerCallsItself) {
  world_.settings.cache.max_entry_bytes = 10;
  Caller plain(world_, kChatPost, ask());
  Caller streaming(world_, kChatPost, ask_stream());
  world_.calls[0].head({{"Content-Type", "application/json"}});
  world_.calls[0].piece(kJsonAnswer);
  EXPECT_FALSE(streaming.answered());
  ASSERT_EQ(world_.calls.size(), 2U);
  world_.calls[0].end();
  EXPECT_EQ(plain.text(), kJsonAnswer);
}

TEST_F(CacheFlightTest, AnErrorAnswerIsForAll) {
  Caller leader(world_, kChatPost, ask());
  Caller same(world_, kChatPost, ask());
  Caller other_form(world_, kChatPost, ask_stream());
  world_.calls[0].answer(R"({"error":{}})", {{"Retry-After", "7"}, {"Set-Cookie", "a=1"}}, 429);
  for (Caller* caller : {&same, &other_form}) {
    EXPECT_EQ(caller->status(), 429);
    EXPECT_EQ(caller->text(), R"({"error":{}})");
    EXPECT_EQ(caller->field("Retry-After"), "7");
    EXPECT_EQ(caller->field("x-aifd-cache"), "miss");
    EXPECT_FALSE(caller->has("Set-Cookie"));
    EXPECT_FALSE(caller->has("Age"));
  }
  EXPECT_TRUE(leader.has("Set-Cookie"));
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheFlightTest, AFailedCallFailsForAll) {
  Caller leader(world_, kChatPost, ask());
  Caller same(world_, kChatPost, ask());
  Caller other_form(world_, kChatPost, ask_stream());
  world_.calls[0].end(kUnreachable);
  for (Caller* caller : {&leader, &same, &other_form}) {
    ASSERT_TRUE(caller->answered());
    EXPECT_EQ(caller->refused(), ErrorKind::upstream_unreachable);
    EXPECT_EQ(caller->refusal(), kUnreachable.detail);
    EXPECT_EQ(caller->cache(), "miss");
  }
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(CacheFlightTest, AStreamThatBreaksIsCutForAllAndNotKept) {
  Caller leader(world_, kChatPost, ask_stream());
  Caller same(world_, kChatPost, ask_stream());
  Caller plain(world_, kChatPost, ask());
  world_.calls[0].head({{"Content-Type", "text/event-stream"}});
  world_.calls[0].piece("data: 1\n\n");
  world_.calls[0].end(test::ScriptedBody::broken());
  EXPECT_EQ(leader.text(), "data: 1\n\n(broken)");
  EXPECT_EQ(same.text(), "data: 1\n\n(broken)");
  ASSERT_TRUE(plain.answered());
  EXPECT_EQ(plain.refused(), ErrorKind::upstream_broke);
  EXPECT_EQ(world_.calls.size(), 1U);
  Caller later(world_, kChatPost, ask_stream());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheFlightTest, TheLeaderLeavingHurtsNobody) {
  Caller leader(world_, kChatPost, ask());
  Caller follower(world_, kChatPost, ask());
  leader.leave();
  EXPECT_EQ(leader->progress.phase, chain::Phase::wait_head);  // its prompt counts as sent
  EXPECT_FALSE(world_.calls[0].stopped());
  world_.calls[0].answer(kJsonAnswer);
  EXPECT_EQ(follower.text(), kJsonAnswer);
}

TEST_F(CacheFlightTest, TheLastToLeaveEndsTheCall) {
  Caller leader(world_, kChatPost, ask_stream());
  Caller follower(world_, kChatPost, ask_stream());
  world_.calls[0].head({{"Content-Type", "text/event-stream"}});
  EXPECT_TRUE(leader.answered());
  EXPECT_TRUE(follower.answered());
  follower.leave();
  EXPECT_FALSE(world_.calls[0].stopped());
  leader.leave();
  EXPECT_TRUE(world_.calls[0].stopped());
  EXPECT_EQ(world_.flights.size(), 0U);
  world_.calls[0].end(Error{ErrorKind::client_gone, ErrorSource::client, false, "All left."});
  Caller next(world_, kChatPost, ask_stream());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheFlightTest, OneWhoHasLeftBeforeItBoardsDoesNotWait) {
  Caller leader(world_, kChatPost, ask());
  Caller gone(world_, kChatPost, ask(), true, [](chain::Exchange& exchange) {
    exchange.stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, "It left."});
  });
  ASSERT_TRUE(gone.answered());
  EXPECT_EQ(gone.refused(), ErrorKind::client_gone);
  EXPECT_FALSE(world_.calls[0].stopped());
}

TEST_F(CacheFlightTest, WhatGoesUpIsTheLeadersAndItsOwnCopy) {
  {
    Caller leader(world_, kChatPost + "\nAuthorization: Bearer sk-leader", ask(), true,
                  [](chain::Exchange& exchange) {
                    exchange.identity = chain::Identity::forward_key;
                    exchange.destination.extra.add("X-Forwarded-For", exchange.keep("192.0.2.7"));
                  });
    Caller follower(
        world_, kChatPost + "\nAuthorization: Bearer sk-follower", ask(), true,
        [](chain::Exchange& exchange) { exchange.identity = chain::Identity::forward_key; });
    EXPECT_EQ(world_.calls.size(), 1U);
  }
  // Both have gone, with all their texts.
  chain::Exchange& call = *world_.calls[0];
  EXPECT_EQ(call.request.fields.get("Authorization"), "Bearer sk-leader");
  EXPECT_EQ(call.destination.extra.get("X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(call.route.path, "/v1/chat/completions");
  EXPECT_EQ(world_.calls[0].body(), R"({"model":"m","messages":[]})");
}

class GeneralFlightTest : public CacheFlightTest {
 protected:
  GeneralFlightTest() {
    world_.settings.cache.general = true;
    world_.settings.cache.routes = {"/list"};
  }
  const std::string get_ = "GET /list";
};

TEST_F(GeneralFlightTest, SharesOneCall) {
  Caller leader(world_, get_, "", false);
  Caller follower(world_, get_, "", false);
  world_.calls[0].answer("a");
  EXPECT_EQ(leader.text(), "a");
  EXPECT_EQ(follower.text(), "a");
  EXPECT_EQ(follower.cache(), "hit");
  EXPECT_EQ(world_.calls.size(), 1U);
}

// RFC 9111, 4: only what may be stored answers another request than its own.
TEST_F(GeneralFlightTest, GivesNobodyElseWhatIsForOneCaller) {
  const CacheField fields[] = {{"Cache-Control", "private"},
                               {"Cache-Control", "no-store"},
                               {"Set-Cookie", "session=1"},
                               {"Vary", "User-Agent"},
                               {"Vary", "*"}};
  for (const CacheField& field : fields) {
    for (const int status : {200, 302}) {
      CacheWorld world;
      world.settings = world_.settings;
      Caller leader(world, get_, "", false);
      Caller follower(world, get_, "", false);
      ASSERT_EQ(world.calls.size(), 1U);
      world.calls[0].answer("for one", {field}, status);
      EXPECT_EQ(leader.text(), "for one");
      EXPECT_FALSE(follower.answered()) << field.name << ": " << field.value << " " << status;
      ASSERT_EQ(world.calls.size(), 2U);
      world.calls[1].answer("for another", {field}, status);
      EXPECT_EQ(follower.text(), "for another");
      EXPECT_EQ(follower.field("x-aifd-cache"), "miss");
    }
  }
}

TEST_F(GeneralFlightTest, SharesAFailureWhateverItSays) {
  Caller leader(world_, get_, "", false);
  Caller follower(world_, get_, "", false);
  world_.calls[0].answer("down", {{"Cache-Control", "no-store, private"}}, 503);
  EXPECT_EQ(follower.status(), 503);
  EXPECT_EQ(world_.calls.size(), 1U);
}

TEST_F(GeneralFlightTest, SharesAnAnswerWithoutABody) {
  Caller leader(world_, get_, "", false);
  Caller follower(world_, get_, "", false);
  world_.calls[0].head({}, 204);
  EXPECT_EQ(leader.status(), 204);
  EXPECT_EQ(follower.status(), 204);
  world_.calls[0].end();
  EXPECT_EQ(leader.text(), "");
  EXPECT_EQ(follower.text(), "");
}

}  // namespace
}  // namespace aifd::middleware
