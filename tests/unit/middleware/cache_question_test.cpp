#include "cache_question.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using chain::Identity;
using test::run_task;
using test::TestExchange;

const CachePlace kChat{.openai = true, .keeps = true, .converts = true};
const CachePlace kOther{.openai = true, .keeps = true};
const CachePlace kGeneral{.openai = false, .keeps = true};

// A request as it stands before the cache.
class Request {
 public:
  explicit Request(const std::string& lines, std::string body = "{}")
      : exchange_(lines, std::move(body)) {
    run_task(exchange_->body.hold(1 << 20)).value();
    exchange_->route = {"/", exchange_->target.path, true};
  }
  chain::Exchange& operator*() { return *exchange_; }
  chain::Exchange* operator->() { return &*exchange_; }
  std::optional<CacheQuestion> question(const CachePlace& place = kChat) {
    return read_question(*exchange_, place, false);
  }

 private:
  TestExchange exchange_;
};

const std::string kPost = "POST /v1/chat/completions";

TEST(CacheScope, TellsCallersApartByTheKeyThatTheUpstreamSees) {
  Request request(kPost);
  EXPECT_EQ(cache_scope(*request, false), "anonymous");
  request->identity = Identity::forward_key;
  request->level = 2;
  EXPECT_EQ(cache_scope(*request, false), "level2");
  request->identity = Identity::key;
  request->caller = {1, 2, 3};
  const auto one = cache_scope(*request, false);
  request->caller = {1, 2, 4};
  EXPECT_NE(cache_scope(*request, false), one);
  request->identity = Identity::mixed;
  EXPECT_EQ(cache_scope(*request, false), std::nullopt);
}

TEST(CacheScope, IsOneForAllWhereTheSettingSaysSo) {
  Request request(kPost + "\nX-Auth-Token: a");
  EXPECT_EQ(cache_scope(*request, true), "global");
  request->identity = Identity::forward_key;
  EXPECT_EQ(cache_scope(*request, true), "global");
}

TEST(CacheScope, HoldsEveryFieldThatSoundsLikeASecret) {
  for (const char* name : {"X-Auth-Token", "private-token", "X-Session-Id", "X-My-Secret",
                           "x-amz-signature", "X-APIKEY", "Proxy-Authorization-Copy"}) {
    Request a(kPost + "\n" + name + ": a");
    Request b(kPost + "\n" + name + ": b");
    EXPECT_NE(cache_scope(*a, false), cache_scope(*b, false)) << name;
  }
  Request basic(kPost + "\nAuthorization: Basic YTpi");
  EXPECT_NE(cache_scope(*basic, false), "anonymous");
}

TEST(CacheScope, DoesNotHoldTheKeyThatTakesTurns) {
  Request a(kPost + "\nAuthorization: Bearer sk-1\nx-api-key: sk-1");
  Request b(kPost + "\nAuthorization: Bearer sk-2\nx-api-key: sk-2");
  a->identity = b->identity = Identity::forward_key;
  EXPECT_EQ(cache_scope(*a, false), cache_scope(*b, false));
}

TEST(CacheScope, IsNoneForAForwardKeyInTheQuery) {
  Request request(kPost + "?key=sk-1");
  request->identity = Identity::forward_key;
  EXPECT_EQ(cache_scope(*request, false), std::nullopt);
  request->identity = Identity::key;
  EXPECT_NE(cache_scope(*request, false), std::nullopt);
}

TEST(CacheQuestion, IsOneForBothFormsWhereTheyConvert) {
  const auto plain = Request(kPost, R"({"model":"m"})").question();
  const auto stream = Request(kPost, R"({"stream":true,"model":"m"})").question();
  const auto usage =
      Request(kPost, R"({"stream":true,"model":"m","stream_options":{"include_usage":true}})")
          .question();
  ASSERT_TRUE(plain && stream && usage);
  EXPECT_EQ(plain->key, stream->key);
  EXPECT_EQ(plain->key, usage->key);
  EXPECT_FALSE(plain->wants_stream);
  EXPECT_TRUE(stream->wants_stream);
  EXPECT_FALSE(stream->wants_usage);
  EXPECT_TRUE(usage->wants_usage);
  const auto fixed = Request(kPost, R"({"stream":true,"model":"m"})").question(kOther);
  EXPECT_NE(fixed->key, Request(kPost, R"({"model":"m"})").question(kOther)->key);
  EXPECT_FALSE(fixed->wants_stream);
}

TEST(CacheQuestion, IsNoneWhereNoStoredAnswerFits) {
  EXPECT_FALSE(Request(kPost + "\nCache-Control: no-store").question());
  EXPECT_FALSE(Request(kPost + "\nRange: bytes=0-1").question());
  EXPECT_FALSE(Request(kPost + "\nIf-None-Match: \"a\"").question());
  EXPECT_FALSE(Request(kPost, "[1]").question());
  EXPECT_FALSE(Request(kPost, R"({"a":1,"a":2})").question());
  EXPECT_TRUE(Request(kPost, "not JSON").question(kGeneral));
}

TEST(CacheQuestion, DoesNotReadWhereTheCallerWantsANewAnswer) {
  EXPECT_TRUE(Request(kPost).question()->reads);
  EXPECT_TRUE(Request(kPost + "\nCache-Control: max-age=9").question()->reads);
  EXPECT_FALSE(Request(kPost + "\nCache-Control: no-cache").question()->reads);
  EXPECT_FALSE(Request(kPost + "\nCache-Control: max-age=0").question()->reads);
  EXPECT_FALSE(Request(kPost + "\nPragma: no-cache").question()->reads);
}

TEST(CacheQuestion, TellsRoutesAndServersApart) {
  const auto key = Request(kPost).question()->key;
  Request prefix(kPost);
  prefix->route.prefix = "/other";
  EXPECT_NE(prefix.question()->key, key);
  Request server(kPost);
  server->destination.server.authority = "other.example";
  EXPECT_NE(server.question()->key, key);
  Request base(kPost);
  base->destination.base_path = "/base";
  EXPECT_NE(base.question()->key, key);
}

}  // namespace
}  // namespace aifd::middleware
