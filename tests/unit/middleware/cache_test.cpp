// What the cache link does with one request at a time.
#include "aifd/middleware/cache.hpp"

#include <gtest/gtest.h>

#include "cache_callers.hpp"

namespace aifd::middleware {
namespace {

class CacheTest : public testing::Test {
 protected:
  // Asked and answered before.
  void keep(const std::string& answer = kJsonAnswer,
            std::vector<services::CacheField> fields = {}) {
    Caller first(world_, kChatPost, ask());
    world_.calls[world_.calls.size() - 1].answer(answer, std::move(fields));
    EXPECT_EQ(first.text(), answer);
  }

  CacheWorld world_;
};

TEST_F(CacheTest, AsksTheUpstreamOnceAndThenAnswersItself) {
  Caller first(world_, kChatPost, ask());
  EXPECT_FALSE(first.answered());
  ASSERT_EQ(world_.calls.size(), 1U);
  world_.calls[0].answer(kJsonAnswer, {{"x-request-id", "req_up"}, {"Set-Cookie", "a=1"}});
  EXPECT_EQ(first.text(), kJsonAnswer);
  EXPECT_EQ(first.field("x-aifd-cache"), "miss");
  EXPECT_FALSE(first.has("Age"));
  EXPECT_EQ(first.field("x-request-id"), "req_up");
  EXPECT_EQ(first.field("Set-Cookie"), "a=1");

  Caller second(world_, kChatPost, ask());
  EXPECT_EQ(second.text(), kJsonAnswer);
  EXPECT_EQ(second.status(), 200);
  EXPECT_EQ(second.field("x-aifd-cache"), "hit");
  EXPECT_EQ(second.field("Age"), "0");
  EXPECT_EQ(second.field("Content-Type"), "application/json");
  EXPECT_EQ(second.reply().framing,
            (protocol::BodyFraming{protocol::BodyKind::length, kJsonAnswer.size()}));
  EXPECT_FALSE(second.has("x-request-id"));
  EXPECT_FALSE(second.has("Set-Cookie"));
  EXPECT_EQ(world_.calls.size(), 1U);
  EXPECT_EQ(world_.flights.size(), 0U);
}

TEST_F(CacheTest, CountsACallAsTheUpstreamsAndAHitAsNone) {
  Caller first(world_, kChatPost, ask());
  EXPECT_EQ(first->progress.phase, chain::Phase::wait_head);
  EXPECT_EQ(first->progress.attempts, 1U);
  world_.calls[0].answer(kJsonAnswer);
  EXPECT_TRUE(first.answered());
  EXPECT_EQ(first->progress.phase, chain::Phase::stream);
  EXPECT_EQ(first->progress.attempts, 2U);
  EXPECT_EQ(first->progress.head_received, Clock::time_point(std::chrono::seconds(5)));

  Caller second(world_, kChatPost, ask());
  EXPECT_TRUE(second.answered());
  EXPECT_EQ(second->progress.phase, chain::Phase::links);
  EXPECT_EQ(second->progress.attempts, 0U);
}

TEST_F(CacheTest, SendsTheBodyUpWithoutTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"caching": true, "model": "m"})", R"({"model": "m"})"},
      {R"({"model":"m" , "caching":true })", R"({"model":"m" })"},
      {R"({"caching":true})", "{}"},
  };
  std::size_t calls = 0;
  for (const auto& [sent, goes_up] : cases) {
    Caller caller(world_, kChatPost, sent);
    ASSERT_EQ(world_.calls.size(), ++calls) << sent;
    EXPECT_EQ(world_.calls[calls - 1].body(), goes_up);
    EXPECT_EQ(world_.calls[calls - 1]->request.fields.get("Accept-Encoding"), "identity");
  }
}

TEST_F(CacheTest, LetsPassWhatDoesNotAskForIt) {
  for (const char* body : {R"({"model":"m"})", R"({"caching":false,"model":"m"})",
                           R"({"caching":null,"model":"m"})"}) {
    Caller caller(world_, kChatPost, body);
    ASSERT_TRUE(caller.passed()) << body;
    EXPECT_EQ(caller.cache(), "bypass");
    EXPECT_EQ(caller->body.held(), R"({"model":"m"})");
    EXPECT_FALSE(caller->request.fields.contains("Accept-Encoding"));
  }
  EXPECT_EQ(world_.calls.size(), 0U);
}

TEST_F(CacheTest, KeepsWithoutTheFieldWhereTheDefaultSaysSo) {
  world_.settings.cache.cached_by_default = true;
  Caller absent(world_, kChatPost, R"({"model":"m"})");
  Caller null(world_, kChatPost, R"({"caching":null,"model":"m"})");
  EXPECT_EQ(world_.calls.size(), 1U);
  Caller off(world_, kChatPost, R"({"caching":false,"model":"m"})");
  EXPECT_TRUE(off.passed());
}

TEST_F(CacheTest, RefusesAFieldOfAnotherType) {
  for (const char* value : {"1", "0", R"("true")", "[]", "{}", R"([null])", R"({"a":null})"}) {
    Caller caller(world_, kChatPost, std::string(R"({"model":"m","caching":)") + value + "}");
    ASSERT_TRUE(caller.answered()) << value;
    EXPECT_EQ(caller.refused(), ErrorKind::bad_request) << value;
    EXPECT_EQ(caller.cache(), "bypass");
  }
}

TEST_F(CacheTest, CutsTheFieldWhereItKeepsNothing) {
  Caller caller(world_, "POST /v1/moderations\nContent-Type: application/json",
                R"({"caching":true,"input":"a"})");
  EXPECT_TRUE(caller.passed());
  EXPECT_EQ(caller.cache(), "");
  EXPECT_TRUE(caller->taps().empty());
  EXPECT_EQ(caller->body.held(), R"({"input":"a"})");
}

TEST_F(CacheTest, LetsPassWhatItCannotTellApart) {
  for (const char* body :
       {R"({"caching":true,"a":1,"a":2})", R"({"caching":true)", "no JSON", "[true]"}) {
    Caller caller(world_, kChatPost, body);
    ASSERT_TRUE(caller.passed()) << body;
    EXPECT_EQ(caller.cache(), "bypass");
  }
}

TEST_F(CacheTest, RefusesAFieldThatIsThereTwice) {
  Caller caller(world_, kChatPost, R"({"caching":true,"caching":true})");
  EXPECT_EQ(caller.refused(), ErrorKind::bad_request);
}

TEST_F(CacheTest, LetsPassABodyThatIsTooLargeToBeHeld) {
  world_.settings.max_buffered_body_bytes = 20;
  Caller caller(world_, kChatPost, ask());
  EXPECT_TRUE(caller.passed());
  EXPECT_EQ(caller.cache(), "bypass");
}

TEST_F(CacheTest, ObeysACallerWhoWantsNothingKept) {
  keep();
  Caller caller(world_, kChatPost + "\nCache-Control: no-store", ask());
  EXPECT_TRUE(caller.passed());
  EXPECT_EQ(caller.cache(), "bypass");
}

TEST_F(CacheTest, AsksAnewForACallerWhoWantsNothingStoredAndKeepsThat) {
  const std::string other = R"({"id":"new"})";
  for (const char* field :
       {"Cache-Control: no-cache", "Cache-Control: max-age=0", "Pragma: no-cache"}) {
    CacheWorld world;
    Caller first(world, kChatPost, ask());
    world.calls[0].answer(kJsonAnswer);
    Caller anew(world, kChatPost + "\n" + field, ask());
    ASSERT_EQ(world.calls.size(), 2U) << field;
    world.calls[1].answer(other);
    EXPECT_EQ(anew.text(), other);
    EXPECT_EQ(anew.field("x-aifd-cache"), "bypass");
    EXPECT_FALSE(anew.has("Age"));
    Caller later(world, kChatPost, ask());
    EXPECT_EQ(later.text(), other);
    EXPECT_EQ(later.cache(), "hit");
  }
}

TEST_F(CacheTest, DoesNotShareTheCallOfOneWhoWantsNothingStored) {
  Caller first(world_, kChatPost, ask());
  Caller anew(world_, kChatPost + "\nCache-Control: no-cache", ask());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheTest, AnswersOnlyIfCachedWithoutACall) {
  const std::string post = kChatPost + "\nCache-Control: only-if-cached";
  Caller without(world_, post, ask());
  ASSERT_TRUE(without.answered());
  EXPECT_EQ(without.refused(), ErrorKind::not_cached);
  EXPECT_EQ(without.cache(), "miss");
  keep();
  Caller with(world_, post, ask());
  EXPECT_EQ(with.text(), kJsonAnswer);
  Caller contrary(world_, kChatPost + "\nCache-Control: no-cache, only-if-cached", ask());
  ASSERT_TRUE(contrary.answered());
  EXPECT_EQ(contrary.refused(), ErrorKind::not_cached);
  EXPECT_EQ(world_.calls.size(), 1U);
}

class AgedCacheTest : public CacheTest {
 protected:
  // Keeps the answer as one that came so long ago.
  void age(std::int64_t seconds) {
    Caller first(world_, kChatPost, ask());
    world_.calls[0].answer(kJsonAnswer);
    auto store = std::make_unique<AgeingStore>(std::move(world_.store), seconds);
    world_.cache.reset();
    world_.store = std::move(store);
  }

 private:
  // Says that what is in another is older.
  class AgeingStore final : public services::CacheStore {
   public:
    AgeingStore(std::unique_ptr<services::CacheStore> store, std::int64_t seconds)
        : store_(std::move(store)), seconds_(seconds) {}
    Task<services::CacheEntryPtr> get(const services::CacheKey& key) override {
      const services::CacheEntryPtr entry = co_await store_->get(key);
      if (!entry) co_return entry;
      auto aged = std::make_shared<services::CacheEntry>(*entry);
      aged->stored_at -= seconds_;
      co_return aged;
    }
    void put(const services::CacheKey& key, services::CacheEntryPtr entry) override {
      store_->put(key, std::move(entry));
    }
    void clear() override { store_->clear(); }
    services::CacheStat stat() const override { return store_->stat(); }

   private:
    std::unique_ptr<services::CacheStore> store_;
    std::int64_t seconds_;
  };
};

TEST_F(AgedCacheTest, SaysHowOldAnAnswerIs) {
  age(100);
  Caller later(world_, kChatPost, ask());
  EXPECT_EQ(later.cache(), "hit");
  EXPECT_GE(std::stoi(later.field("Age")), 100);
  EXPECT_LE(std::stoi(later.field("Age")), 102);
}

TEST_F(AgedCacheTest, AnswersNothingOlderThanTheCallerTakes) {
  age(100);
  Caller takes(world_, kChatPost + "\nCache-Control: max-age=200", ask());
  EXPECT_EQ(takes.text(), kJsonAnswer);
  EXPECT_EQ(takes.cache(), "hit");
  Caller refuses(world_, kChatPost + "\nCache-Control: max-age=99", ask());
  EXPECT_FALSE(refuses.answered());
  EXPECT_EQ(refuses.cache(), "miss");
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheTest, KeepsNoFailureAndNothingThatBroke) {
  {
    Caller failed(world_, kChatPost, ask());
    world_.calls[0].answer("{}", {}, 429);
    EXPECT_EQ(failed.status(), 429);
    EXPECT_EQ(failed.field("x-aifd-cache"), "miss");
  }
  {
    Caller broken(world_, kChatPost, ask());
    world_.calls[1].head({{"Content-Type", "application/json"}});
    world_.calls[1].piece("{");
    world_.calls[1].end(test::ScriptedBody::broken());
    EXPECT_EQ(broken.text(), "{(broken)");
  }
  {
    Caller unreachable(world_, kChatPost, ask());
    world_.calls[2].end(Error{ErrorKind::upstream_unreachable, ErrorSource::upstream, true, "No."});
    EXPECT_TRUE(unreachable.answered());
    EXPECT_EQ(unreachable.refused(), ErrorKind::upstream_unreachable);
  }
  Caller next(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 4U);
}

// Its transport may have ended well all the same.
TEST_F(CacheTest, KeepsNoAnswerThatSaysAnErrorOrStopsMidway) {
  std::vector<std::string> failed = stream_answer();
  failed.insert(failed.begin() + 1, R"(data: {"error":{"message":"overloaded"}})"
                                    "\n\n");
  std::vector<std::string> cut = stream_answer();
  cut.pop_back();
  for (const std::vector<std::string>& pieces : {failed, cut}) {
    CacheWorld world;
    Caller first(world, kChatPost, ask_stream());
    world.calls[0].stream(pieces);
    EXPECT_EQ(first.text(), joined(pieces));
    Caller second(world, kChatPost, ask_stream());
    EXPECT_EQ(world.calls.size(), 2U);
  }
  Caller first(world_, kChatPost, ask());
  world_.calls[0].answer(kJsonAnswer.substr(0, 50));
  EXPECT_EQ(first.text(), kJsonAnswer.substr(0, 50));
  Caller second(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheTest, KeepsNothingLargerThanAnEntryMayBe) {
  world_.settings.cache.max_entry_bytes = 10;
  Caller first(world_, kChatPost, ask());
  world_.calls[0].answer(kJsonAnswer);
  EXPECT_EQ(first.text(), kJsonAnswer);
  Caller second(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 2U);
}

TEST_F(CacheTest, KeepsAnAnswerForAsLongAsTheSettingSays) {
  world_.settings.cache.ttl = std::chrono::seconds(60);
  keep();
  world_.now += 50;
  Caller soon(world_, kChatPost, ask());
  EXPECT_EQ(soon.cache(), "hit");
  world_.now += 20;
  Caller late(world_, kChatPost, ask());
  EXPECT_EQ(late.cache(), "miss");
}

TEST_F(CacheTest, TellsCallersApart) {
  const auto with_key = [](unsigned char key) {
    return [key](chain::Exchange& exchange) {
      exchange.identity = chain::Identity::key;
      exchange.caller = {key};
    };
  };
  Caller one(world_, kChatPost, ask(), true, with_key(1));
  Caller other(world_, kChatPost, ask(), true, with_key(2));
  Caller nobody(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 3U);
  Caller again(world_, kChatPost, ask(), true, with_key(1));
  EXPECT_EQ(world_.calls.size(), 3U);
  Caller unclear(world_, kChatPost, ask(), true,
                 [](chain::Exchange& exchange) { exchange.identity = chain::Identity::mixed; });
  EXPECT_TRUE(unclear.passed());
  EXPECT_EQ(unclear.cache(), "bypass");
}

TEST_F(CacheTest, SharesAmongAllWhereTheScopeIsGlobal) {
  world_.settings.cache.shared_by_all_callers = true;
  keep();
  Caller other(world_, kChatPost, ask(), true, [](chain::Exchange& exchange) {
    exchange.identity = chain::Identity::forward_key;
    exchange.level = 3;
  });
  EXPECT_EQ(other.text(), kJsonAnswer);
  // Its query goes up with an API key, which the answer may repeat.
  Caller in_query(
      world_, "POST /v1/chat/completions?key=sk-1\nContent-Type: application/json", ask(), true,
      [](chain::Exchange& exchange) { exchange.identity = chain::Identity::forward_key; });
  EXPECT_TRUE(in_query.passed());
}

TEST_F(CacheTest, CallsWithoutSharingWhereTheSettingSaysSo) {
  world_.settings.cache.single_flight = false;
  Caller one(world_, kChatPost, ask());
  Caller other(world_, kChatPost, ask());
  EXPECT_EQ(world_.calls.size(), 2U);
  world_.calls[1].answer(kJsonAnswer);
  EXPECT_EQ(other.text(), kJsonAnswer);
  Caller later(world_, kChatPost, ask());
  EXPECT_EQ(later.cache(), "hit");
}

}  // namespace
}  // namespace aifd::middleware
