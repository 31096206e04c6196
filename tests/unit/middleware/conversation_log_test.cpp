#include "aifd/middleware/conversation_log.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "services/temporary_folder.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using nlohmann::json;
using test::TestExchange;

constexpr const char* kChat = "POST /v1/chat/completions\nContent-Type: application/json";
constexpr const char* kQuestion = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
constexpr const char* kAnswer =
    R"({"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";

class ConversationLogTest : public testing::Test {
 protected:
  ConversationLogTest() {
    settings_.logs.openai = true;
    settings_.logs.general = true;
  }

  TestExchange& request(const std::string& lines, std::string body, bool openai = true) {
    TestExchange& exchange =
        *exchanges_.emplace_back(std::make_unique<TestExchange>(lines, std::move(body)));
    exchange->route = {"/", exchange->target.path, openai};
    return exchange;
  }

  bool pass(TestExchange& exchange) {
    if (!log_) {
      services::ConversationLogOptions options;
      options.folder = folder_.path();
      log_ = std::make_unique<services::ConversationLog>(std::move(options));
    }
    return test::passed(exchange.run(ConversationLog(settings_, *log_)));
  }

  static void answer(TestExchange& exchange, std::string_view text) {
    protocol::ResponseHead head;
    head.status = 200;
    head.fields.add("Content-Type", "application/json");
    exchange->show_head(head);
    exchange->show(text);
    exchange->finish(chain::EndedBy::complete);
  }

  // All that is in the log of that kind.
  std::vector<json> records(const std::string& kind) {
    exchanges_.clear();
    EXPECT_TRUE(log_->stop(std::chrono::seconds(60)));
    std::ifstream file(folder_.path() / "openai" / kind / (kind + ".log"));
    std::vector<json> found;
    for (std::string line; std::getline(file, line);) found.push_back(json::parse(line));
    return found;
  }

  services::TemporaryFolder folder_;
  config::Settings settings_;
  std::unique_ptr<services::ConversationLog> log_;
  std::vector<std::unique_ptr<TestExchange>> exchanges_;
};

TEST_F(ConversationLogTest, WritesWhatWasAskedAndAnswered) {
  TestExchange& exchange = request(kChat, kQuestion);
  exchange->key_alias = "alice";
  exchange->cache = chain::CacheUse::hit;
  ASSERT_TRUE(pass(exchange));
  EXPECT_EQ(exchange->request.fields.get("Accept-Encoding"), "identity");
  answer(exchange, kAnswer);
  const std::vector<json> found = records("chat");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["messages"][0]["content"], "hi");
  EXPECT_EQ(found[0]["ip"], "192.0.2.7");
  EXPECT_EQ(found[0]["uid"], "req_1");
  EXPECT_EQ(found[1]["assistant"], "Hello");
  EXPECT_EQ(found[1]["uid"], "req_1");
  EXPECT_EQ(found[1]["key"], "alice");
  EXPECT_EQ(found[1]["cache"], "hit");
  EXPECT_EQ(found[1]["usage_source"], "exact");
  EXPECT_EQ(found[1]["ended_by"], "complete");
}

TEST_F(ConversationLogTest, AnExchangeThatNobodyFinishesHasItsAnswerTooAndOnlyOne) {
  ASSERT_TRUE(pass(request(kChat, kQuestion)));
  const std::vector<json> found = records("chat");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1]["ended_by"], "aifd");
  EXPECT_EQ(found[1]["error"], "internal");
  EXPECT_EQ(found[1]["status"], 0);
}

TEST_F(ConversationLogTest, KnowsTheKindByThePath) {
  struct Case {
    const char* path;
    const char* kind;
    const char* api;
  };
  const std::vector<Case> cases{
      {"/v1/chat/completions", "chat", "chat"},
      {"/openai/deployments/x/chat/completions", "chat", "chat"},
      {"/v1/responses", "chat", "responses"},
      {"/v1/messages", "chat", "messages"},
      {"/v1/completions", "completion", "completion"},
      {"/v1/embeddings", "embedding", "embedding"},
      {"/v1/audio/transcriptions", "whisper", "whisper"},
      {"/v1/audio/translations", "whisper", "whisper"},
      {"/v1/chat/completion%73", "chat", "chat"},
      {"/v1/Chat/completions;x", "chat", "chat"},
  };
  for (const Case& c : cases) ASSERT_TRUE(pass(request(std::string("POST ") + c.path, "{}")));
  std::map<std::string, std::vector<std::string>> apis;
  for (const char* kind : {"chat", "completion", "embedding", "whisper"}) {
    for (const json& record : records(kind)) {
      if (!record.contains("ended_by")) apis[kind].push_back(record["api"]);
    }
  }
  for (const Case& c : cases) {
    ASSERT_FALSE(apis[c.kind].empty()) << c.path;
    EXPECT_EQ(apis[c.kind].front(), c.api) << c.path;
    apis[c.kind].erase(apis[c.kind].begin());
  }
}

TEST_F(ConversationLogTest, PassesOverWhatIsNoConversation) {
  for (TestExchange* exchange :
       {&request("GET /v1/chat/completions", ""), &request("POST /v1/moderations", "{}"),
        &request("POST /v1/messages/count_tokens", "{}")}) {
    ASSERT_TRUE(pass(*exchange));
    EXPECT_TRUE((*exchange)->taps().empty());
    EXPECT_FALSE((*exchange)->request.fields.contains("Accept-Encoding"));
  }
}

TEST_F(ConversationLogTest, WritesGeneralRoutesWithoutSecretsInTheirQuery) {
  TestExchange& exchange = request("PUT /things?key=AIzaVerySecret&a=1\nContent-Type: text/plain",
                                   "see AIzaVerySecret", false);
  ASSERT_TRUE(pass(exchange));
  answer(exchange, R"({"ok":true})");
  const std::vector<json> found = records("general");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["method"], "PUT");
  EXPECT_EQ(found[0]["payload"], "see ***");
  EXPECT_EQ(found[0].dump().find("AIzaVerySecret"), std::string::npos) << found[0];
  EXPECT_EQ(found[1]["response"]["ok"], true);
}

TEST_F(ConversationLogTest, OnlyWhatIsWantedIsWritten) {
  settings_.logs.openai = false;
  TestExchange& chat = request(kChat, kQuestion);
  ASSERT_TRUE(pass(chat));
  EXPECT_TRUE(chat->taps().empty());
  settings_.logs.general = false;
  TestExchange& general = request("POST /x", "{}", false);
  ASSERT_TRUE(pass(general));
  EXPECT_TRUE(general->taps().empty());
  settings_.logs.print_chat = true;
  TestExchange& embedding = request("POST /v1/embeddings", "{}");
  ASSERT_TRUE(pass(embedding));
  EXPECT_TRUE(embedding->taps().empty()) << "only chats are shown";
  TestExchange& shown = request(kChat, kQuestion);
  ASSERT_TRUE(pass(shown));
  EXPECT_EQ(shown->taps().size(), 1U);
  answer(shown, kAnswer);
  EXPECT_TRUE(records("chat").empty()) << "shown, not written";
}

TEST_F(ConversationLogTest, ABodyOverTheBoundPassesAndIsNoted) {
  settings_.max_buffered_body_bytes = 10;
  TestExchange& exchange = request(kChat, kQuestion);
  ASSERT_TRUE(pass(exchange));
  answer(exchange, kAnswer);
  const std::vector<json> found = records("chat");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["shortened"], "too_large");
  EXPECT_EQ(found[0]["messages"], nullptr);
  EXPECT_EQ(found[1]["assistant"], "Hello");
}

TEST_F(ConversationLogTest, ACodingThatTheBodyDoesNotHaveHidesNothing) {
  const std::string head = std::string(kChat) + "\nContent-Encoding: gzip";
  for (const std::string body : {kQuestion, "\x1F\x8B"}) {
    TestExchange& exchange = request(head, body);
    ASSERT_TRUE(pass(exchange));
    answer(exchange, kAnswer);
  }
  const std::vector<json> found = records("chat");
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0]["model"], "m");
  EXPECT_FALSE(found[0].contains("shortened"));
  EXPECT_EQ(found[2]["shortened"], "coded");
}

TEST_F(ConversationLogTest, UploadsOnGeneralRoutesPassUnheld) {
  TestExchange& exchange =
      request("PUT /files\nContent-Type: application/octet-stream", "bytes", false);
  ASSERT_TRUE(pass(exchange));
  EXPECT_EQ(exchange->body.bytes_read(), 0U);
  answer(exchange, "{}");
  const std::vector<json> found = records("general");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["payload"], nullptr);
  EXPECT_EQ(found[0]["payload_bytes"], 5);
}

TEST_F(ConversationLogTest, KeysOfTheExchangeAreMasked) {
  TestExchange& exchange = request(std::string(kChat) + "\nAuthorization: Bearer sk-upstream-key",
                                   R"({"messages":[{"role":"user","content":"fk-caller-key"}]})");
  exchange->secrets.push_back("fk-caller-key");
  ASSERT_TRUE(pass(exchange));
  answer(exchange, R"({"choices":[{"message":{"content":"you sent sk-upstream-key"}}]})");
  const std::vector<json> found = records("chat");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["messages"][0]["content"], "***");
  EXPECT_EQ(found[1]["assistant"], "you sent ***");
}

}  // namespace
}  // namespace aifd::middleware
