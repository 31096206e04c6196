#include "aifd/chain/detached_exchange.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::chain {
namespace {

using test::read_all;
using test::TestExchange;

protocol::BodyFraming length(std::uint64_t bytes) {
  return {protocol::BodyKind::length, bytes};
}

void hold(TestExchange& exchange) {
  ASSERT_TRUE(test::run_task(exchange->body.hold(1 << 20)).value());
}

// A view into it is dangling by the time that the copy is read.
std::unique_ptr<DetachedExchange> detached_from_one_that_is_gone() {
  TestExchange from("POST /v1/chat/completions?a=b\nContent-Type: application/json\nX-Field: kept",
                    "{\"caching\":true}");
  hold(from);
  from->body.replace(1, 14, "\"a\":1");
  from->route = {"/", std::string_view(from->target.path), true};
  from->dialect = protocol::Dialect::anthropic;
  from->destination.server = {"up.example", 80, true, "up.example:80"};
  from->destination.base_path = "/base";
  from->destination.extra.add("X-Forwarded-For", from->keep("192.0.2.7"));
  from->request.fields.set("Authorization", from->keep("Bearer sk-replaced"));
  from->progress.started = Clock::time_point(std::chrono::hours(1));
  from->progress.attempts = 3;
  return std::make_unique<DetachedExchange>(*from);
}

TEST(DetachedExchange, HasTextsOfItsOwn) {
  const auto detached = detached_from_one_that_is_gone();
  Exchange& copy = **detached;
  EXPECT_EQ(copy.request.method, "POST");
  EXPECT_EQ(copy.request.target, "/v1/chat/completions?a=b");
  EXPECT_EQ(copy.request.version_minor, 1);
  EXPECT_EQ(copy.request.fields.get("X-Field"), "kept");
  EXPECT_EQ(copy.request.fields.get("Authorization"), "Bearer sk-replaced");
  EXPECT_EQ(copy.target.path, "/v1/chat/completions");
  EXPECT_EQ(copy.target.query, "a=b");
  EXPECT_TRUE(copy.target.has_query);
  EXPECT_EQ(copy.route.prefix, "/");
  EXPECT_EQ(copy.route.path, "/v1/chat/completions");
  EXPECT_TRUE(copy.route.openai);
  EXPECT_EQ(copy.dialect, protocol::Dialect::anthropic);
  EXPECT_EQ(copy.destination.server.authority, "up.example:80");
  EXPECT_EQ(copy.destination.base_path, "/base");
  EXPECT_EQ(copy.destination.extra.get("X-Forwarded-For"), "192.0.2.7");
  EXPECT_EQ(copy.request_id, "req_1");
}

TEST(DetachedExchange, HasTheHeldBodyAndCanSendItAgain) {
  const auto detached = detached_from_one_that_is_gone();
  RequestBody& body = (*detached)->body;
  EXPECT_EQ(body.framing(), length(7));
  EXPECT_EQ(read_all(body).bytes, R"({"a":1})");
  EXPECT_TRUE(body.rewind());
  EXPECT_EQ(read_all(body).bytes, R"({"a":1})");
}

TEST(DetachedExchange, BeginsWithoutTapsEditsAndWhatWentBefore) {
  std::vector<std::string> journal;
  TestExchange from("POST /", "{}");
  hold(from);
  from->add_tap(std::make_unique<test::RecordingTap>("tap", journal));
  from->progress.attempts = 3;
  from->progress.started = Clock::time_point(std::chrono::hours(1));
  from->stopper.stop({ErrorKind::client_gone, ErrorSource::client, false, "It left."});
  {
    DetachedExchange detached(*from);
    EXPECT_TRUE(detached->taps().empty());
    EXPECT_TRUE(detached->edits().empty());
    EXPECT_FALSE(detached->stopper.stopped());
    EXPECT_EQ(detached->progress.attempts, 0U);
    EXPECT_EQ(detached->progress.started, from->progress.started);
  }
  EXPECT_TRUE(journal.empty());
}

TEST(DetachedExchange, TakesAnotherBody) {
  TestExchange from("POST /", "{}");
  hold(from);
  std::string text = R"({"input":["a"]})";
  DetachedExchange detached(*from, text);
  text.assign(text.size(), 'x');
  EXPECT_EQ(detached->body.framing(), length(15));
  EXPECT_EQ(read_all(detached->body).bytes, R"({"input":["a"]})");
}

TEST(DetachedExchange, OfNoBodyHasNone) {
  TestExchange from("GET /");
  DetachedExchange detached(*from);
  EXPECT_EQ(detached->body.framing().kind, protocol::BodyKind::none);
  EXPECT_TRUE(detached->body.held_whole());
}

TEST(DetachedExchange, OfChunksHasALength) {
  TestExchange from("POST /\nTransfer-Encoding: chunked");
  EXPECT_EQ(from->body.framing().kind, protocol::BodyKind::chunked);
  DetachedExchange detached(*from, "abc");
  EXPECT_EQ(detached->body.framing(), length(3));
  EXPECT_EQ(read_all(detached->body).bytes, "abc");
}

TEST(DetachedExchange, WaitsForNothingOfTheClients) {
  TestExchange from("POST /\nExpect: 100-continue\nConnection: Upgrade\nUpgrade: websocket", "{}");
  from->framing.wants_upgrade = true;
  hold(from);
  DetachedExchange detached(*from);
  EXPECT_FALSE(detached->framing.expects_continue);
  EXPECT_FALSE(detached->framing.wants_upgrade);
}

}  // namespace
}  // namespace aifd::chain
