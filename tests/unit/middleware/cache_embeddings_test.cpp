// Requests for embeddings through the cache, with an upstream that the test plays.
#include <gtest/gtest.h>

#include "middleware/cached_request.hpp"
#include "middleware/embedding_samples.hpp"

namespace aifd::middleware {
namespace {

using chain::CacheUse;

config::Settings cache_settings() {
  config::Settings settings;
  settings.cache.openai = true;
  settings.cache.cached_by_default = true;
  settings.max_buffered_body_bytes = 2000;  // twice as much of an answer
  return settings;
}

class CacheEmbeddings : public testing::Test {
 protected:
  std::unique_ptr<Asked> ask(const Json& input, const std::string& fields = {},
                             const Json& more = Json::object()) {
    return std::make_unique<Asked>(loop_, cache_, calls_, embedding_request(input, more), fields);
  }
  // What the upstream answers at once.
  Told ask_and_answer(const Json& input, const std::string& answer, int status = 200) {
    const auto asked = ask(input);
    calls_.answer(answer, status);
    return asked->told();
  }
  void know(const std::vector<std::string>& inputs, const std::string& model = "m") {
    ASSERT_EQ(ask_and_answer(inputs, embedding_answer(inputs, model)).status, 200);
  }
  static std::vector<double> lengths(const Told& told) {
    std::vector<double> lengths;
    const Json answer = Json::parse(told.body);
    for (const Json& item : answer["data"]) lengths.push_back(item["embedding"][0]);
    return lengths;
  }

  asio::io_context loop_;
  const config::Settings settings_ = cache_settings();
  AgingStore store_;
  services::Flights flights_;
  services::Aside aside_;
  const Cache cache_{settings_, store_, flights_, aside_};
  FakeCalls calls_{loop_};
};

TEST_F(CacheEmbeddings, AnAnswerToAllPassesByteForByte) {
  const std::string answer = " " + embedding_answer({"a", "bb"}) + "\n";
  const Told told = ask_and_answer({"a", "bb"}, answer);
  EXPECT_EQ(told.body, answer);
  EXPECT_TRUE(told.whole);
  EXPECT_EQ(told.cache, CacheUse::miss);
  EXPECT_EQ(told.age, "");
}

TEST_F(CacheEmbeddings, OnlyWhatIsMissingGoesUp) {
  know({"a", "ccc"});
  const auto asked = ask({"a", "bb", "ccc", "dddd", "bb"});
  EXPECT_EQ(calls_.inputs(), Json({"bb", "dddd"}));
  protocol::Fields fields;
  fields.add("ETag", "\"part\"");
  calls_.answer(embedding_answer({"bb", "dddd"}), 200, fields);
  const Told told = asked->told();
  EXPECT_EQ(lengths(told), (std::vector<double>{1, 2, 3, 4, 2}));
  EXPECT_EQ(told.cache, CacheUse::miss);
  EXPECT_EQ(told.type, "application/json");
  EXPECT_EQ(told.tag, "");
  const Told again = ask({"dddd", "a"})->told();
  EXPECT_EQ(lengths(again), (std::vector<double>{4, 1}));
  EXPECT_EQ(again.cache, CacheUse::hit);
  EXPECT_EQ(again.age, "0");
  EXPECT_EQ(again.type, "application/json");
  EXPECT_EQ(calls_.bodies.size(), 2U);
}

TEST_F(CacheEmbeddings, AStoreThatIsWaitedForIsAskedForEach) {
  store_.slow = true;
  know({"a", "ccc"});
  const auto asked = ask({"a", "bb", "ccc"});
  EXPECT_EQ(calls_.inputs(), Json({"bb"}));
  calls_.answer(embedding_answer({"bb"}));
  EXPECT_EQ(lengths(asked->told()), (std::vector<double>{1, 2, 3}));
  const Told again = ask({"bb", "ccc"})->told();
  EXPECT_EQ(again.cache, CacheUse::hit);
  EXPECT_EQ(lengths(again), (std::vector<double>{2, 3}));
}

TEST_F(CacheEmbeddings, AnotherStatusIsTheAnswerOfAll) {
  know({"a"});
  const Told told = ask_and_answer({"a", "bb"}, R"({"error":"no"})", 429);
  EXPECT_EQ(told.status, 429);
  EXPECT_EQ(told.body, R"({"error":"no"})");
  EXPECT_EQ(ask({"a"})->told().cache, CacheUse::hit);
  EXPECT_EQ(store_.entries.size(), 1U);
}

TEST_F(CacheEmbeddings, AStrangeAnswerToAllPassesAndIsNotKept) {
  EXPECT_EQ(ask_and_answer({"a", "bb"}, "strange").body, "strange");
  EXPECT_EQ(store_.entries.size(), 0U);
  EXPECT_TRUE(calls_.calls.empty());
}

TEST_F(CacheEmbeddings, AStrangeAnswerToSomeMeansACallForAll) {
  know({"a"});
  for (const std::string& last : {std::string("strange"), embedding_answer({"a", "bb"})}) {
    const auto asked = ask({"a", "bb"});
    EXPECT_EQ(calls_.inputs(), Json({"bb"}));
    calls_.answer("strange");
    EXPECT_FALSE(asked->answered());
    EXPECT_EQ(calls_.inputs(), Json({"a", "bb"}));
    calls_.answer(last);
    EXPECT_EQ(asked->told().body, last);
  }
  EXPECT_EQ(ask({"bb"})->told().cache, CacheUse::hit);
}

TEST_F(CacheEmbeddings, AnotherModelMeansACallForAll) {
  know({"a"}, "m-1");
  const auto asked = ask({"a", "bb"});
  calls_.answer(embedding_answer({"bb"}, "m-2"));
  EXPECT_FALSE(asked->answered());
  const std::string all = embedding_answer({"a", "bb"}, "m-2");
  calls_.answer(all);
  EXPECT_EQ(asked->told().body, all);
  const Told again = ask({"bb", "a"})->told();
  EXPECT_EQ(again.cache, CacheUse::hit);
  EXPECT_EQ(Json::parse(again.body)["model"], "m-2");
}

TEST_F(CacheEmbeddings, PartsOfTwoModelsAreNotAnAnswer) {
  know({"a"}, "m-1");
  know({"bb"}, "m-2");
  const auto asked = ask({"a", "bb"});
  EXPECT_EQ(calls_.inputs(), Json({"a", "bb"}));
  calls_.answer(embedding_answer({"a", "bb"}, "m-2"));
  EXPECT_EQ(asked->told().cache, CacheUse::miss);
}

TEST_F(CacheEmbeddings, ACodedAnswerToSomeMeansACallForAll) {
  know({"a"});
  protocol::Fields fields;
  fields.add("Content-Encoding", "gzip");
  const auto asked = ask({"a", "bb"});
  calls_.answer("coded", 200, fields);
  EXPECT_FALSE(asked->answered());
  calls_.answer("coded for all", 200, fields);
  EXPECT_EQ(asked->told().body, "coded for all");
}

TEST_F(CacheEmbeddings, ALongAnswerToAllPassesAndIsNotKept) {
  const auto asked = ask({"a", "bb"});
  calls_.head();
  calls_.piece(std::string(3000, 'x'));
  EXPECT_FALSE(asked->answered());
  calls_.piece(std::string(3000, 'y'));
  EXPECT_TRUE(asked->answered());
  calls_.piece("z");
  calls_.end();
  EXPECT_EQ(asked->told().body, std::string(3000, 'x') + std::string(3000, 'y') + 'z');
}

TEST_F(CacheEmbeddings, ALongAnswerToSomeMeansACallForAll) {
  know({"a"});
  const auto asked = ask({"a", "bb"});
  calls_.answer(std::string(5000, 'x'));
  EXPECT_FALSE(asked->answered());
  const std::string all = embedding_answer({"a", "bb"});
  calls_.answer(all);
  EXPECT_EQ(asked->told().body, all);
}

TEST_F(CacheEmbeddings, AJoinedAnswerIsNoLongerThanAnyOther) {
  know({"a"});
  const std::vector<std::string> many(300, "a");
  const auto asked = ask(many);
  EXPECT_EQ(calls_.inputs(), Json(many));
  calls_.answer("what it says");
  EXPECT_EQ(asked->told().body, "what it says");
}

TEST_F(CacheEmbeddings, ACallThatBreaksIsAnErrorAndNotKept) {
  know({"a"});
  const auto asked = ask({"a", "bb"});
  calls_.head();
  calls_.piece(embedding_answer({"bb"}));
  calls_.end(Error{ErrorKind::upstream_broke, ErrorSource::upstream, false, "It broke."});
  EXPECT_EQ(asked->told().status, -static_cast<int>(ErrorKind::upstream_broke));
  EXPECT_EQ(store_.entries.size(), 1U);
}

TEST_F(CacheEmbeddings, EqualBatchesShareOneCall) {
  know({"a"});
  const auto first = ask({"a", "bb"});
  const auto second = ask({"a", "bb"});
  const auto other = ask({"bb", "a"});
  EXPECT_EQ(calls_.calls.size(), 2U);
  std::swap(calls_.calls[0], calls_.calls[1]);
  calls_.answer(embedding_answer({"bb"}));
  const Told leads = first->told();
  const Told follows = second->told();
  EXPECT_EQ(leads.body, follows.body);
  EXPECT_EQ(lengths(follows), (std::vector<double>{1, 2}));
  EXPECT_EQ(leads.cache, CacheUse::miss);
  EXPECT_EQ(follows.cache, CacheUse::hit);
  EXPECT_FALSE(other->answered());
  calls_.answer(embedding_answer({"bb"}));
  EXPECT_EQ(lengths(other->told()), (std::vector<double>{2, 1}));
}

TEST_F(CacheEmbeddings, TheEncodingsOfABatchDoNotShare) {
  const auto floats = ask({"a"});
  const auto coded = ask({"a"}, {}, {{"encoding_format", "base64"}});
  EXPECT_EQ(calls_.calls.size(), 2U);
  calls_.end(Asked::client_left());
  calls_.end(Asked::client_left());
}

TEST_F(CacheEmbeddings, WhenAllHaveLeftTheCallEnds) {
  auto first = ask({"a"});
  auto second = ask({"a"});
  first->leave();
  EXPECT_TRUE(first->answered());
  first.reset();
  EXPECT_FALSE(calls_.stopper().stopped());
  second->leave();
  EXPECT_TRUE(second->answered());
  loop_.restart();
  loop_.poll();
  EXPECT_TRUE(calls_.stopper().stopped());
  calls_.end(Asked::client_left());
}

TEST_F(CacheEmbeddings, WhenAllHaveLeftThereIsNoCallForAll) {
  know({"a"});
  const auto asked = ask({"a", "bb"});
  calls_.head();
  calls_.piece("strange");
  asked->leave();
  EXPECT_TRUE(asked->answered());
  loop_.restart();
  loop_.poll();
  calls_.end();
  loop_.restart();
  loop_.poll();
  EXPECT_TRUE(calls_.calls.empty());
  EXPECT_EQ(calls_.bodies.size(), 2U);
  EXPECT_EQ(flights_.size(), 0U);
}

TEST_F(CacheEmbeddings, ACallThatIsStoppedStopsWhatWaitsForItsReaders) {
  const auto asked = ask({"a"});
  calls_.stopper().stop({ErrorKind::draining, ErrorSource::aifd, false, "No more."});
  calls_.end(*calls_.stopper().reason());
  EXPECT_EQ(asked->told().status, -static_cast<int>(ErrorKind::draining));
}

TEST_F(CacheEmbeddings, NoCacheAsksForAllAndKeepsItAnew) {
  know({"a"});
  const auto asked = ask({"a", "bb"}, "\nCache-Control: no-cache");
  EXPECT_EQ(calls_.inputs(), Json({"a", "bb"}));
  calls_.answer(embedding_answer({"a", "bb"}, "m-2"));
  EXPECT_EQ(asked->told().cache, CacheUse::bypass);
  EXPECT_EQ(Json::parse(ask({"a"})->told().body)["model"], "m-2");
}

TEST_F(CacheEmbeddings, OnlyIfCachedNeedsAll) {
  know({"a"});
  EXPECT_EQ(ask({"a"}, "\nCache-Control: only-if-cached")->told().status, 200);
  EXPECT_EQ(ask({"a", "bb"}, "\nCache-Control: only-if-cached")->told().status,
            -static_cast<int>(ErrorKind::not_cached));
  EXPECT_EQ(calls_.bodies.size(), 1U);
}

TEST_F(CacheEmbeddings, WhatIsTooOldForTheCallerGoesUp) {
  know({"a"});
  store_.age(100);
  know({"bb"});
  EXPECT_EQ(ask({"a", "bb"}, "\nCache-Control: max-age=100")->told().age, "100");
  const auto asked = ask({"a", "bb"}, "\nCache-Control: max-age=99");
  EXPECT_EQ(calls_.inputs(), Json({"a"}));
  calls_.answer(embedding_answer({"a"}));
  EXPECT_EQ(asked->told().cache, CacheUse::miss);
  EXPECT_EQ(ask({"a", "bb"}, "\nCache-Control: max-age=99")->told().age, "0");
}

TEST_F(CacheEmbeddings, AnUnusualRequestIsKeptWhole) {
  const Json more{{"encoding_format", "int8"}};
  const std::string answer = R"({"object":"list"})";
  const auto asked = ask({"a", "bb"}, {}, more);
  calls_.answer(answer);
  EXPECT_EQ(asked->told().body, answer);
  const Told again = ask({"a", "bb"}, {}, more)->told();
  EXPECT_EQ(again.body, answer);
  EXPECT_EQ(again.cache, CacheUse::hit);
}

}  // namespace
}  // namespace aifd::middleware
