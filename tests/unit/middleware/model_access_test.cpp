#include "aifd/middleware/model_access.hpp"

#include <gtest/gtest.h>

#include "aifd/middleware/allowed_models.hpp"
#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::TestExchange;

constexpr std::uint64_t kMostBytes = 1000;
const char* const kChat = "POST /v1/chat/completions";

TEST(AllowedModels, AreNamesAndGlobs) {
  const AllowedModels allowed({"gpt-4", "gpt-3.5*", "gemini-pro"});
  for (const char* model : {"gpt-4", "gpt-3.5", "gpt-3.5-turbo", "models/gemini-pro"}) {
    EXPECT_TRUE(allowed.has(model)) << model;
  }
  for (const char* model : {"", "gpt-4o", "GPT-4", " gpt-4", "gpt-3", "x/gpt-4", "models/",
                            "models/models/gemini-pro", "gpt-3.5,gpt-5", "gpt-3.5\n"}) {
    EXPECT_FALSE(allowed.has(model)) << model;
  }
  EXPECT_TRUE(allowed.has("gpt-3.5" + std::string(1017, 'x')));
  EXPECT_FALSE(allowed.has("gpt-3.5" + std::string(1018, 'x')));
  const AllowedModels of_org({"org/*"});
  for (const char* model : {"org/a", "org/a/b", "org/a..b", "org/.a", "org/..."}) {
    EXPECT_TRUE(of_org.has(model)) << model;
  }
  for (const char* model : {"org/../secret", "org/..", "org/./../secret", "org/a\\..\\secret"}) {
    EXPECT_FALSE(of_org.has(model)) << model;
  }
  EXPECT_FALSE(allowed.has_all());
  EXPECT_TRUE(AllowedModels({"a", "*"}).has_all());
  EXPECT_FALSE(AllowedModels({""}).has_all());
  EXPECT_EQ(allowed.text(1), "Your key (level 1) may use: gpt-4, gpt-3.5*, gemini-pro.");
  EXPECT_EQ(AllowedModels({}).text(2), "Your key (level 2) may use no model.");
}

// A request of a level 1 that has passed the route "/" and the keys.
class ModelAccessTest : public testing::Test {
 protected:
  TestExchange& request(const std::string& head, const std::string& body = {}) {
    exchange_.emplace(head, body);
    return ready();
  }

  TestExchange& ready() {
    chain::Exchange& exchange = **exchange_;
    exchange.route = {"/", exchange.target.path, true};
    exchange.level = 1;
    return *exchange_;
  }

  Result<chain::Verdict> run() { return exchange_->run(link_); }

  std::optional<TestExchange> exchange_;
  ModelAccess link_{{{0, {"gpt-4"}}, {1, {"gpt-4", "gpt-3.5*", "org/*"}}, {2, {"*"}}, {3, {}}},
                    kMostBytes};
};

TEST_F(ModelAccessTest, ReadsNothingOfAnUnrestrictedCaller) {
  const ModelAccess no_levels({}, kMostBytes);
  for (const int level : {0, 2}) {
    TestExchange& exchange = request(kChat, R"({"model":"gpt-5"})");
    exchange->level = level;
    EXPECT_TRUE(test::passed(run())) << level;
    EXPECT_EQ(exchange.source().reads(), 0U);
  }
  TestExchange& exchange = request(kChat, "no json");
  EXPECT_TRUE(test::passed(exchange.run(no_levels)));
  EXPECT_EQ(exchange.source().reads(), 0U);
}

struct Request {
  std::string head;
  std::string body;
};

const std::string kForm =
    "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n";

std::string form_model(const std::string& model) {
  return kForm + "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + model +
         "\r\n--X--\r\n";
}

const std::string kFormHead =
    "POST /v1/audio/transcriptions\nContent-Type: multipart/form-data; boundary=X";
const std::string kUpgrade = "\nConnection: Upgrade\nUpgrade: websocket";

TEST_F(ModelAccessTest, PassesWhatNamesAllowedModels) {
  const Request cases[] = {
      {kChat, R"({"model":"gpt-4"})"},
      {kChat, R"({"model":"gpt-3.5-turbo","models":["gpt-4"],"fallbacks":["org/a/b"]})"},
      {kChat, R"({"model":"models/gpt-4"})"},
      {std::string(kChat) + "\nContent-Encoding: identity", R"({"model":"gpt-4"})"},
      {kFormHead, form_model("gpt-4")},
      {"POST /v1beta/models/gpt-4:generateContent", R"({"contents":[]})"},
      {"POST /v1beta/models/gpt-4:generateContent", ""},
      {"POST /v1beta/models/gpt-4:generateContent", R"({"model":"models/gpt-4"})"},
      {"POST /openai/deployments/gpt-4/chat/completions", R"({"messages":[]})"},
      {"POST /openai/deployments/gpt-4/audio/transcriptions\n"
       "Content-Type: multipart/form-data; boundary=X",
       kForm + "--X--\r\n"},
      {"GET /v1/models/org%2Fa", ""},
      {"GET /v1/files", ""},
      {"HEAD /", ""},
      {"DELETE /v1/files/a", ""},
      {"OPTIONS /v1/chat/completions", ""},
      {"GET /v1/realtime?model=gpt-4" + kUpgrade, ""},
      {"GET /openai/realtime?deployment=gpt-4&api-version=1" + kUpgrade, ""},
      {"GET /openai/deployments/gpt-4/realtime" + kUpgrade, ""},
      {"POST /api/show", R"({"name":"gpt-4"})"},
      {"DELETE /api/delete", R"({"model":"gpt-4"})"},
  };
  for (const Request& c : cases) {
    request(c.head, c.body);
    EXPECT_TRUE(test::passed(run())) << c.head << c.body;
    EXPECT_EQ(test::read_all((*exchange_)->body).bytes, c.body);
  }
}

TEST_F(ModelAccessTest, RefusesEveryModelThatIsNotAllowed) {
  const Request cases[] = {
      {kChat, R"({"model":"secret"})"},
      {kChat, R"({"model":"gpt-4","models":["gpt-4","secret"]})"},
      {kChat, R"({"model":"gpt-4","models":"secret"})"},
      {kChat, R"({"model":"gpt-4","fallbacks":["secret"]})"},
      {kFormHead, form_model("secret")},
      {"POST /v1beta/models/secret:generateContent", R"({"model":"gpt-4"})"},
      {"POST /v1beta/models/gpt-4:generateContent", R"({"model":"secret"})"},
      {"POST /v1beta/models/s%65cret:generateContent", "{}"},
      {"POST /openai/deployments/secret/chat/completions", R"({"model":"gpt-4"})"},
      {"POST /v1/chat/completions?model=secret", R"({"model":"gpt-4"})"},
      {"GET /v1/models/secret", ""},
      {"DELETE /v1/models/secret", ""},
      {"HEAD /v1%2fmodels/secret", ""},
      {"GET /v1/realtime?model=secret" + kUpgrade, ""},
      {"GET /v1/files", R"({"model":"secret"})"},
      {"POST /api/show", R"({"model":"gpt-4","name":"secret"})"},
  };
  for (const Request& c : cases) {
    request(c.head, c.body);
    const auto verdict = run();
    ASSERT_TRUE(test::refused_as(verdict, ErrorKind::model_denied)) << c.head << c.body;
    EXPECT_EQ(verdict.error().source, ErrorSource::client);
    EXPECT_EQ(verdict.error().detail,
              "The model \"secret\" is not allowed. Your key (level 1) may use: gpt-4, gpt-3.5*, "
              "org/*.");
  }
}

TEST_F(ModelAccessTest, RefusesWhereNoModelCanBeRead) {
  const Request cases[] = {
      {kChat, ""},
      {"PUT /v1/files/a", ""},
      {"PATCH /v1/files/a", ""},
      {"PROPFIND /v1/files/a", ""},
      {kChat, "{}"},
      {kChat, R"({"model":null})"},
      {kChat, R"({"model":""})"},
      {kChat, R"({"model":["gpt-4"]})"},
      {kChat, R"([{"model":"gpt-4"}])"},
      {kChat, R"({"model":"gpt-4")"},
      {kChat, R"({"model":"gpt-4","model":"secret"})"},
      {kChat, R"({"model":"gpt-4","Model":"secret"})"},
      {kChat, "model=gpt-4"},
      {std::string(kChat) + "\nContent-Encoding: gzip", R"({"model":"gpt-4"})"},
      {"POST /v1beta/models/gpt-4:generateContent\nContent-Encoding: br", "{}"},
      {std::string(kChat) + "\nContent-Type: application/json\nContent-Type: text/plain",
       R"({"model":"gpt-4"})"},
      {"POST /v1/chat/completions?model=gpt-4", "{}"},
      {"POST /v1/chat/completions?model=gpt-4", ""},
      {kFormHead, kForm + "--X--\r\n"},
      {kFormHead, form_model("gpt-4") + form_model("gpt-4")},
      {kFormHead, R"({"model":"gpt-4"})"},
      {"POST /v1beta/models/gpt-4:generateContent", "no json"},
      {"GET /v1/realtime" + kUpgrade, ""},
      {"GET /v1/realtime?model=gpt-4&model=gpt-4" + kUpgrade, ""},
      {"GET /v1/responses?model=gpt-4" + kUpgrade, ""},
      {"GET /v1/files", "no json"},
      {"DELETE /v1/files", "no json"},
      {"POST /api/copy", R"({"source":"secret","destination":"gpt-4"})"},
      {"POST /api/create", R"({"model":"gpt-4","from":"secret"})"},
  };
  for (const Request& c : cases) {
    request(c.head, c.body);
    const auto verdict = run();
    ASSERT_TRUE(test::refused_as(verdict, ErrorKind::model_denied)) << c.head << c.body;
    EXPECT_TRUE(
        verdict.error().detail.ends_with(" Your key (level 1) may use: gpt-4, gpt-3.5*, org/*."))
        << verdict.error().detail;
  }
}

TEST_F(ModelAccessTest, RefusesBeforeItReadsTheBody) {
  TestExchange& exchange = request("POST /v1beta/models/secret:generateContent", "{}");
  EXPECT_TRUE(test::refused_as(run(), ErrorKind::model_denied));
  EXPECT_EQ(exchange.source().reads(), 0U);
}

TEST_F(ModelAccessTest, RefusesABodyTooLargeToRead) {
  const std::string body = R"({"model":"gpt-4","x":")" + std::string(kMostBytes, 'x') + "\"}";
  for (const char* head : {kChat, "POST /v1beta/models/gpt-4:generateContent"}) {
    request(head, body);
    EXPECT_TRUE(test::refused_as(run(), ErrorKind::body_too_large)) << head;
  }
}

TEST_F(ModelAccessTest, PassesOnWhyABodyBroke) {
  exchange_.emplace(kChat, std::vector<test::ScriptedBody::Step>{{.bytes = "x", .broken = true}});
  ready();
  EXPECT_TRUE(test::refused_as(run(), ErrorKind::upstream_broke));
}

TEST_F(ModelAccessTest, ShortensALongName) {
  request(kChat, R"({"model":")" + std::string(500, 'y') + "\"}");
  const std::string due = "The model \"" + std::string(100, 'y') + "...\" is not allowed. Your key";
  EXPECT_TRUE(run().error().detail.starts_with(due));
}

TEST_F(ModelAccessTest, AllowsNothingToALevelWithoutModels) {
  for (const int level : {3, 4}) {
    request(kChat, R"({"model":"gpt-4"})")->level = level;
    const auto verdict = run();
    ASSERT_TRUE(test::refused_as(verdict, ErrorKind::model_denied));
    EXPECT_TRUE(verdict.error().detail.ends_with("(level " + std::to_string(level) +
                                                 ") may use no model."));
  }
}

TEST_F(ModelAccessTest, ReadsThePathThatTheUpstreamGets) {
  TestExchange& exchange = request("POST /secret:generateContent", "{}");
  exchange->destination.base_path = "/v1beta/models";
  EXPECT_TRUE(test::refused_as(run(), ErrorKind::model_denied));
  request("POST /chat/completions", "{}")->destination.base_path = "/openai/deployments/gpt-4";
  EXPECT_TRUE(test::passed(run()));
}

class ModelListTest : public ModelAccessTest {
 protected:
  void ask(const std::string& head) {
    request(head);
    ASSERT_TRUE(test::passed(run())) << head;
    ASSERT_EQ((*exchange_)->edits().size(), 1U) << head;
  }

  Result<chain::Reply> edit(int status, std::vector<test::ScriptedBody::Step> steps) {
    chain::Reply reply;
    content_type_ = "application/json";
    reply.head.status = status;
    reply.head.reason = "OK";
    reply.head.fields.add("Content-Type", content_type_);
    reply.head.fields.add("ETag", "W/\"1\"");
    reply.head.fields.add("Content-Length", "99");
    if (!encoding_.empty()) reply.head.fields.add("Content-Encoding", encoding_);
    if (!steps.empty()) reply.body = std::make_unique<test::ScriptedBody>(std::move(steps));
    auto& edit = *(*exchange_)->edits().front();
    return test::run_task(edit.edit(**exchange_, std::move(reply)));
  }

  std::string encoding_;
  std::string content_type_;
};

TEST_F(ModelListTest, IsAskedForWholeAndPlain) {
  for (const char* path : {"/v1/models?limit=5", "/api/tags", "/v1beta/models", "/models"}) {
    ask("GET " + std::string(path) +
        "\nAccept-Encoding: gzip\nIf-None-Match: \"1\"\nIf-Modified-Since: x\nRange: bytes=0-1");
    const protocol::Fields& fields = (*exchange_)->request.fields;
    EXPECT_EQ(fields.get("Accept-Encoding"), "identity");
    for (const std::string_view name : {"If-None-Match", "If-Modified-Since", "Range"}) {
      EXPECT_FALSE(fields.contains(name)) << name;
    }
  }
}

TEST_F(ModelListTest, IsLeftAloneElsewhere) {
  for (const auto& [head, level] : {std::pair{"GET /v1/models", 0},
                                    {"GET /v1/models", 2},
                                    {"GET /v1/models/gpt-4", 1},
                                    {"GET /v1/files", 1}}) {
    request(std::string(head) + "\nAccept-Encoding: gzip")->level = level;
    EXPECT_TRUE(test::passed(run()));
    EXPECT_TRUE((*exchange_)->edits().empty()) << head;
    EXPECT_EQ((*exchange_)->request.fields.get("Accept-Encoding"), "gzip");
  }
}

TEST_F(ModelListTest, ShowsWhatMayBeUsed) {
  ask("GET /v1/models");
  Result<chain::Reply> reply = edit(200, {{.bytes = R"({"data":[{"id":"gpt-5"}, {"id":"gp)"},
                                          {.bytes = R"(t-4"},{"id":"x"}]})", .last = true}});
  ASSERT_TRUE(reply);
  content_type_.assign(content_type_.size(), '?');  // as in a connection's buffer, once it is read
  EXPECT_EQ(test::body_of(*reply), R"({"data":[ {"id":"gpt-4"}]})");
  EXPECT_EQ(reply->framing,
            (protocol::BodyFraming{protocol::BodyKind::length,
                                   std::string_view(R"({"data":[ {"id":"gpt-4"}]})").size()}));
  EXPECT_EQ(reply->head.reason, "OK");
  EXPECT_EQ(reply->head.fields.size(), 1U);
  EXPECT_EQ(reply->head.fields.get("content-type"), "application/json");
}

TEST_F(ModelListTest, IsAnErrorWhereItCannotBeRead) {
  const auto refused = [&](std::vector<test::ScriptedBody::Step> steps) {
    ask("GET /v1/models");
    const Result<chain::Reply> reply = edit(200, std::move(steps));
    return !reply && reply.error().kind == ErrorKind::upstream_malformed &&
           reply.error().source == ErrorSource::upstream;
  };
  EXPECT_TRUE(refused({{.bytes = "<html>", .last = true}}));
  EXPECT_TRUE(refused({{.bytes = R"({"data":[])", .last = true}}));
  const std::string much(5'000'000, ' ');
  EXPECT_TRUE(refused({{.bytes = much}, {.bytes = much}, {.bytes = "[]", .last = true}}));
  encoding_ = "gzip";
  EXPECT_TRUE(refused({{.bytes = "[]", .last = true}}));
  encoding_ = "Identity";
  EXPECT_FALSE(refused({{.bytes = "[]", .last = true}}));
}

TEST_F(ModelListTest, BreaksWhereTheUpstreamBreaks) {
  ask("GET /v1/models");
  const Result<chain::Reply> reply = edit(200, {{.bytes = "["}, {.bytes = {}, .broken = true}});
  EXPECT_EQ(reply.error().kind, ErrorKind::upstream_broke);
}

TEST_F(ModelListTest, LeavesTheUpstreamsErrorsAsTheyAre) {
  ask("GET /v1/models");
  Result<chain::Reply> reply = edit(401, {{.bytes = "no", .last = true}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->head.fields.size(), 3U);
  EXPECT_EQ(test::body_of(*reply), "no");
}

TEST_F(ModelListTest, SaysNoLengthToAHead) {
  ask("HEAD /v1/models");
  const Result<chain::Reply> reply = edit(200, {});
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->head.fields.contains("Content-Length"));
  EXPECT_FALSE(reply->head.fields.contains("ETag"));
}

}  // namespace
}  // namespace aifd::middleware
