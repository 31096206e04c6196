#include "aifd/middleware/model_map.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::TestExchange;

config::ModelMap map_to(const std::string& api_base) {
  return {config::parse_base_url(api_base).value(),
          {{"gpt-3.5-turbo", "qwen2:7b"}, {"quoted", R"(a "b" \c)"}}};
}

constexpr std::uint64_t kMostBytes = 1000;
const char* const kChat = "POST /v1/chat/completions";

// A request that has passed the route "/".
class ModelMapTest : public testing::Test {
 protected:
  TestExchange& request(const std::string& head, const std::string& body) {
    exchange_.emplace(head, body);
    route();
    return *exchange_;
  }

  void route() {
    chain::Exchange& exchange = **exchange_;
    exchange.route = {"/", exchange.target.path, true};
    exchange.destination.server = {"api.openai.example", 443, true, "api.openai.example"};
  }

  bool redirected() { return (*exchange_)->destination.server.host != "api.openai.example"; }

  std::optional<TestExchange> exchange_;
  ModelMap link_{map_to("http://localhost:11434"), kMostBytes};
};

TEST_F(ModelMapTest, ReplacesTheModelsBytesAndNothingElse) {
  struct Case {
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {R"({"model":"gpt-3.5-turbo"})", R"({"model":"qwen2:7b"})"},
      {R"({ "temperature" : 1.10, "model" :  "gpt-3.5-turbo" , "n":1e0 , "s":"\u00e9"})",
       R"({ "temperature" : 1.10, "model" :  "qwen2:7b" , "n":1e0 , "s":"\u00e9"})"},
      {R"({"messages":[{"content":"\"model\":\"gpt-3.5-turbo\""}],"model":"gpt-3.5-turbo"})",
       R"({"messages":[{"content":"\"model\":\"gpt-3.5-turbo\""}],"model":"qwen2:7b"})"},
      {R"({"model":"gpt-3.5\u002dturbo"})", R"({"model":"qwen2:7b"})"},
      {R"({"model":"quoted"})", R"({"model":"a \"b\" \\c"})"},
  };
  for (const Case& c : cases) {
    TestExchange& exchange = request(kChat, c.body);
    EXPECT_TRUE(test::passed(exchange.run(link_)));
    EXPECT_EQ(exchange->body.held(), c.expected);
    EXPECT_EQ(exchange->body.framing().length, std::string_view(c.expected).size());
    EXPECT_TRUE(redirected());
  }
}

TEST_F(ModelMapTest, GoesToTheConfiguredServerWithOneVersionInThePath) {
  struct Case {
    const char* api_base;
    std::string_view authority, base_path;
    bool tls;
  };
  const Case cases[] = {
      {"http://localhost:11434", "localhost:11434", "", false},
      {"http://localhost:11434/v1", "localhost:11434", "", false},
      {"https://ollama.example/api/v1/", "ollama.example", "/api", true},
      {"https://ollama.example/api", "ollama.example", "/api", true},
  };
  for (const Case& c : cases) {
    const ModelMap link(map_to(c.api_base), kMostBytes);
    TestExchange& exchange = request(kChat, R"({"model":"gpt-3.5-turbo"})");
    EXPECT_TRUE(test::passed(exchange.run(link)));
    const chain::Destination& destination = exchange->destination;
    EXPECT_EQ(destination.server.authority, c.authority) << c.api_base;
    EXPECT_EQ(destination.server.tls, c.tls) << c.api_base;
    EXPECT_EQ(destination.base_path, c.base_path) << c.api_base;
    EXPECT_FALSE(destination.may_upgrade);
    EXPECT_EQ(protocol::join_target(destination.base_path, "/", exchange->target),
              std::string(c.base_path) + "/v1/chat/completions");
  }
}

TEST_F(ModelMapTest, KeepsTheCallersCredentialsHere) {
  TestExchange& exchange = request(
      "POST /v1/chat/completions?a=b&key=sk-7\nAuthorization: Bearer sk-1\nx-api-key: sk-2\n"
      "API-Key: sk-3\nx-goog-api-key: sk-4\nX-Other: kept",
      R"({"model":"gpt-3.5-turbo"})");
  EXPECT_TRUE(test::passed(exchange.run(link_)));
  for (const protocol::Field& field : exchange->request.fields) {
    EXPECT_EQ(field.value.find("sk-"), std::string_view::npos) << field.name.text();
  }
  EXPECT_EQ(exchange->request.fields.get("x-other"), "kept");
  EXPECT_EQ(exchange->target.query.find("sk-"), std::string_view::npos) << exchange->target.query;
  EXPECT_EQ(protocol::query_parameter(exchange->target.query, "a"), "b");
}

TEST_F(ModelMapTest, DropsAnAuthorizationOfAnyScheme) {
  TestExchange& exchange = request("POST /v1/chat/completions\nAuthorization: Basic c2stMQ==",
                                   R"({"model":"gpt-3.5-turbo"})");
  EXPECT_TRUE(test::passed(exchange.run(link_)));
  EXPECT_FALSE(exchange->request.fields.contains("Authorization"));
}

TEST_F(ModelMapTest, RefusesTwoKeysInOnePlace) {
  TestExchange& exchange =
      request("POST /v1/chat/completions?key=sk-1&key=sk-2", R"({"model":"gpt-3.5-turbo"})");
  EXPECT_TRUE(test::refused_as(exchange.run(link_), ErrorKind::bad_request));
}

TEST_F(ModelMapTest, PassesWhatIsNotMappedUntouched) {
  struct Case {
    const char* name;
    const char* head;
    std::string body;
  };
  const Case cases[] = {
      {"another model", kChat, R"({"model":"gpt-4"})"},
      {"a mapped model's beginning", kChat, R"({"model":"gpt-3.5-turbo-16k"})"},
      {"another case", kChat, R"({"model":"GPT-3.5-turbo"})"},
      {"no model", kChat, R"({"messages":[]})"},
      {"a model that is no string", kChat, R"({"model":35})"},
      {"a model inside", kChat, R"({"x":{"model":"gpt-3.5-turbo"}})"},
      {"two models", kChat, R"({"model":"gpt-3.5-turbo","model":"gpt-4"})"},
      {"no JSON", kChat, "model=gpt-3.5-turbo"},
      {"an array", kChat, R"([{"model":"gpt-3.5-turbo"}])"},
      {"no body", kChat, ""},
      {"another path", "POST /chat", R"({"model":"gpt-3.5-turbo"})"},
      {"another method", "PUT /v1/chat/completions", R"({"model":"gpt-3.5-turbo"})"},
      {"over the limit", kChat,
       R"({"model":"gpt-3.5-turbo","x":")" + std::string(kMostBytes, 'x') + "\"}"},
  };
  for (const Case& c : cases) {
    TestExchange& exchange = request(c.head, c.body);
    exchange->request.fields.add("Authorization", "Bearer sk-1");
    EXPECT_TRUE(test::passed(exchange.run(link_))) << c.name;
    EXPECT_FALSE(redirected()) << c.name;
    EXPECT_EQ(exchange->request.fields.get("Authorization"), "Bearer sk-1") << c.name;
    EXPECT_EQ(test::read_all(exchange->body).bytes, c.body) << c.name;
  }
}

TEST_F(ModelMapTest, PassesGeneralRoutesWithoutReadingTheirBody) {
  TestExchange& exchange = request(kChat, R"({"model":"gpt-3.5-turbo"})");
  exchange->route.openai = false;
  EXPECT_TRUE(test::passed(exchange.run(link_)));
  EXPECT_EQ(exchange.source().reads(), 0U);
}

TEST_F(ModelMapTest, PassesOnWhyABodyBroke) {
  exchange_.emplace(kChat, std::vector<test::ScriptedBody::Step>{{.bytes = "x", .broken = true}});
  route();
  EXPECT_FALSE(exchange_->run(link_));
}

}  // namespace
}  // namespace aifd::middleware
