#include "aifd/middleware/benchmark.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using nlohmann::json;
using test::TestExchange;

const char* const kChat = "POST /benchmark/v1/chat/completions";

constexpr std::uint64_t kMostBytes = 2000;

// As `route` leaves it.
class RoutedExchange : public TestExchange {
 public:
  explicit RoutedExchange(const std::string& request, std::string body = {})
      : TestExchange(request, std::move(body)) {
    (*this)->route.prefix = Benchmark::kPrefix;
  }
};

// The data of each event of a stream, each ended by a blank line.
std::vector<std::string> events_of(std::string stream) {
  std::vector<std::string> events;
  for (std::size_t end = 0; (end = stream.find("\n\n")) != std::string::npos;) {
    EXPECT_TRUE(stream.starts_with("data: ")) << stream.substr(0, end);
    events.push_back(stream.substr(6, end - 6));
    stream.erase(0, end + 2);
  }
  EXPECT_EQ(stream, "") << "the last event is ended too";
  return events;
}

json answer(const Benchmark& link, const std::string& body) {
  RoutedExchange exchange(kChat, body);
  auto verdict = exchange.run(link);
  chain::Reply& reply = test::answer_of(verdict);
  EXPECT_EQ(reply.head.fields.get("Content-Type"), "application/json");
  return json::parse(test::body_of(reply));
}

TEST(BenchmarkWhole, IsAChatCompletion) {
  const json body = answer(Benchmark(kMostBytes), R"({"model":"a \"b\"","stream":false})");
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["model"], "a \"b\"");
  EXPECT_EQ(body["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_FALSE(body["choices"][0]["message"]["content"].get<std::string>().empty());
  const json& usage = body["usage"];
  EXPECT_EQ(usage["prompt_tokens"].get<int>() + usage["completion_tokens"].get<int>(),
            usage["total_tokens"].get<int>());
}

struct Streamed {
  std::string text;
  std::size_t pieces = 0;
};

Streamed read_stream(TestExchange& exchange, const Benchmark& link) {
  auto verdict = exchange.run(link);
  chain::Reply& reply = test::answer_of(verdict);
  EXPECT_EQ(reply.head.status, 200);
  EXPECT_TRUE(reply.head.fields.get("Content-Type").starts_with("text/event-stream"));
  EXPECT_EQ(reply.framing.kind, protocol::BodyKind::chunked);
  const test::WholeBody body = test::read_all(*reply.body);
  EXPECT_TRUE(body.whole);
  return {body.bytes, body.pieces};
}

TEST(BenchmarkStream, IsEventsThatJoinToTheWholeAnswer) {
  const Benchmark link(kMostBytes);
  RoutedExchange exchange(kChat, R"({"model":"m\n1","stream":true})");
  const Streamed streamed = read_stream(exchange, link);
  const std::vector<std::string> events = events_of(streamed.text);
  ASSERT_GE(events.size(), 4U);
  EXPECT_EQ(events.back(), "[DONE]");
  std::string text;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    const json chunk = json::parse(events[i]);
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_EQ(chunk["id"], "chatcmpl-req_1");
    EXPECT_EQ(chunk["model"], "m\n1");
    const json& choice = chunk["choices"][0];
    const bool is_last = i + 2 == events.size();
    EXPECT_EQ(choice["finish_reason"], is_last ? json("stop") : json(nullptr));
    EXPECT_EQ(choice["delta"].contains("role"), i == 0);
    text += choice["delta"].value("content", "");
  }
  const json whole = answer(link, R"({"stream":false})");
  EXPECT_EQ(text, whole["choices"][0]["message"]["content"].get<std::string>());
}

TEST(BenchmarkStream, ComesInOnePieceForThePaceToCut) {
  RoutedExchange exchange(kChat, R"({"stream":true})");
  EXPECT_EQ(read_stream(exchange, Benchmark(kMostBytes)).pieces, 1U);
}

TEST(Benchmark, AnswersWholeUnlessAStreamIsAskedForAsTheApiDoes) {
  RoutedExchange exchange(kChat, "{}");
  auto verdict = exchange.run(Benchmark(kMostBytes));
  const auto type = test::answer_of(verdict).head.fields.get("Content-Type");
  EXPECT_EQ(type, "application/json");
}

TEST(Benchmark, ListsItsModel) {
  RoutedExchange exchange("GET /benchmark/v1/models");
  auto verdict = exchange.run(Benchmark(kMostBytes));
  const json body = json::parse(test::body_of(test::answer_of(verdict)));
  EXPECT_EQ(body["data"][0]["id"], "benchmark");
}

TEST(Benchmark, RefusesWhatItDoesNotServe) {
  struct Case {
    const char* request;
    std::string body;
    ErrorKind kind;
  };
  const Case cases[] = {
      {"GET /benchmark/v1/chat/completions", "", ErrorKind::no_route},
      {"POST /benchmark/v1/models", "{}", ErrorKind::no_route},
      {"POST /benchmark/v1/embeddings", "{}", ErrorKind::no_route},
      {"GET /benchmark", "", ErrorKind::no_route},
      {kChat, "", ErrorKind::bad_request},
      {kChat, "[]", ErrorKind::bad_request},
      {kChat, R"({"stream":true,"model":")" + std::string(1025, 'x') + R"("})",
       ErrorKind::bad_request},
      {kChat, "{\"model\":\"\xFF\"}", ErrorKind::bad_request},
      {kChat, "{\"x\":\"" + std::string(kMostBytes, 'x') + "\"}", ErrorKind::body_too_large},
      {"GET /benchmark/v1/chat/completions\nConnection: Upgrade\nUpgrade: websocket", "",
       ErrorKind::upgrade_refused},
  };
  for (const Case& c : cases) {
    RoutedExchange exchange(c.request, c.body);
    EXPECT_TRUE(test::refused_as(exchange.run(Benchmark(kMostBytes)), c.kind)) << c.request;
  }
}

TEST(Benchmark, PassesOtherRoutes) {
  TestExchange exchange("POST /benchmark/v1/chat/completions", "{}");
  exchange->route.prefix = "/";
  EXPECT_TRUE(test::passed(exchange.run(Benchmark(kMostBytes))));
}

}  // namespace
}  // namespace aifd::middleware
