#include "aifd/protocol/asked_models.hpp"

#include <gtest/gtest.h>

namespace aifd::protocol {
namespace {

using Names = std::vector<std::string>;

AskedModels read_body(std::string_view content_type, std::string_view path, std::string_view body) {
  std::optional<JsonPeek> peeked;
  return models_in_body(content_type, path, body, [&]() -> const JsonPeek* {
    peeked = peek_json(body);
    return peeked ? &*peeked : nullptr;
  });
}

TEST(ModelsInPath, AreFoundWhereTheProvidersPutThem) {
  struct Case {
    const char* method;
    const char* path;
    Names names;
  };
  const Case cases[] = {
      {"POST", "/v1/chat/completions", {}},
      {"GET", "/v1/models", {}},
      {"GET", "/", {}},
      {"GET", "*", {}},
      {"GET", "/v1/models/gpt-4", {"gpt-4"}},
      {"DELETE", "/v1/models/ft:gpt-4:org::id", {"ft:gpt-4:org::id"}},
      {"GET", "/v1/models/qwen2:latest", {"qwen2:latest"}},
      {"GET", "/v1/models/openai/gpt-4o", {"openai/gpt-4o"}},
      {"GET", "/v1/models/openai%2Fgpt-4o", {"openai/gpt-4o"}},
      {"GET", "/v1%2fmodels%2Fgpt-4", {"gpt-4"}},
      {"GET", "/v1/m%6Fdels/gpt%2D4", {"gpt-4"}},
      {"GET", "/v1%5Cmodels%5Cgpt-4", {"gpt-4"}},
      {"GET", "/v1/MODELS/gpt-4", {"gpt-4"}},
      {"GET", "/v1/models;x=y/gpt-4", {"gpt-4"}},
      {"GET", "/v1/models%2F/gpt-4", {"gpt-4"}},
      {"POST", "/v1beta/models/gemini-pro:generateContent", {"gemini-pro"}},
      {"POST", "/v1/models/gemini-1.5-pro:streamGenerateContent", {"gemini-1.5-pro"}},
      {"POST", "/v1beta/models/gemini-pro%3AgenerateContent", {"gemini-pro"}},
      {"POST", "/v1beta/models/a%2Fb:generateContent", {"a/b"}},
      {"POST", "/v1beta/models/gemini-pro", {"gemini-pro"}},
      {"GET", "/v1beta/models/veo-2/operations/abc", {"veo-2"}},
      {"POST", "/v1beta/tunedModels/mine-1:generateContent", {"tunedModels/mine-1"}},
      {"POST",
       "/v1/projects/p/locations/l/publishers/google/models/gemini-pro:predict",
       {"gemini-pro"}},
      {"POST", "/openai/deployments/gpt-4/chat/completions", {"gpt-4"}},
      {"POST", "/model/anthropic.claude-v2%3A1/invoke", {"anthropic.claude-v2:1"}},
      {"POST", "/OpenAI/Deployments/gpt%2D4/images/edits", {"gpt-4"}},
      {"GET", "/openai/deployments", {}},
      {"POST", "/v1/engines/davinci/completions", {"davinci"}},
      {"POST", "/models/chat/completions", {}},
      {"POST", "/v1beta/models/a/models/b:generateContent", {"a/models/b", "b"}},
      {"GET", "/v1/modelsX/a", {}},
  };
  for (const Case& c : cases) {
    const AskedModels asked = models_in_path(c.method, c.path);
    EXPECT_EQ(asked.names, c.names) << c.path;
    EXPECT_EQ(asked.problem, "") << c.path;
  }
}

TEST(ModelsInPath, AreUnclearWhereServersMayReadTwoThings) {
  const std::string cases[] = {
      "/v1/models/gpt%252D4",
      "/v1/models/gpt-4;x=y",
      "/openai/deployments/a%2Fb/chat/completions",
      "/openai%2Fdeployments/a/chat/completions",
      "/openai/deployments/a%5C..%5Cb/chat/completions",
  };
  for (const std::string& path : cases) {
    EXPECT_NE(models_in_path("POST", path).problem, "") << path;
    EXPECT_TRUE(models_in_path("POST", path).names.empty()) << path;
  }
  std::string many;
  while (many.size() < 60'000) many += "/models";
  EXPECT_NE(models_in_path("GET", many).problem, "");
}

TEST(ModelsInQuery, AreDecoded) {
  struct Case {
    const char* query;
    Names names;
  };
  const Case cases[] = {
      {"", {}},
      {"&&=&a", {}},
      {"api-version=1&x=a+b;c%", {}},
      {"model=gpt-4o-realtime", {"gpt-4o-realtime"}},
      {"a=b&m%6Fdel=gpt%2D4%2fx&c=d", {"gpt-4/x"}},
      {"model=", {""}},
      {"models=a&my_model=b&modelx", {}},
      {"deployment=d&api-version=1", {"d"}},
      {"deployment=d&model=m", {"m", "d"}},
  };
  for (const Case& c : cases) {
    const AskedModels asked = models_in_query(c.query);
    EXPECT_EQ(asked.names, c.names) << c.query;
    EXPECT_EQ(asked.problem, "") << c.query;
  }
}

TEST(ModelsInQuery, AreUnclearWhereServersMayReadTwoThings) {
  for (const char* query :
       {"model=a&model=b", "model=a&model=a", "model=a&x=y&m%6fdel=b", "Model=a", "MODE%4C=a",
        "model", "model=a+b", "model=a%", "model=a%2525", "model=a;b", "model=a;model=b",
        "x=y;model=b", "deployment=a&deployment=b", "model=a&Model=b"}) {
    EXPECT_NE(models_in_query(query).problem, "") << query;
    EXPECT_TRUE(models_in_query(query).names.empty()) << query;
  }
}

TEST(TakesModelFromQuery, IsTheRealtimeApi) {
  EXPECT_TRUE(takes_model_from_query("/v1/realtime"));
  EXPECT_TRUE(takes_model_from_query("/openai/realtime"));
  EXPECT_FALSE(takes_model_from_query("/v1/responses"));
  EXPECT_FALSE(takes_model_from_query("/v1/realtime/calls"));
  EXPECT_FALSE(takes_model_from_query("/ws/google.GenerativeService.BidiGenerateContent"));
}

TEST(ListsModels, KnowsTheListsOfTheProviders) {
  for (const char* path :
       {"/v1/models", "/models", "/api/v1/models", "/v1beta/models", "/api/tags", "/api/ps",
        "/v1beta/tunedModels", "/openai/deployments", "/v1%2Fmodels", "/v1/m%6fdels", "/v1/Models",
        "/v1/models;x", "/v1/models%2F", "/ollama/api/tags"}) {
    EXPECT_TRUE(lists_models(path)) << path;
  }
  for (const char* path :
       {"/v1/models/gpt-4", "/v1/modelsX", "/", "*", "/v1/tags", "/api/tagsX", "/v1/files"}) {
    EXPECT_FALSE(lists_models(path)) << path;
  }
}

struct Body {
  std::string content_type;
  std::string path;
  std::string body;
};

const char* const kChat = "/v1/chat/completions";
const char* const kJson = "application/json";
const std::string kForm =
    "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--X--\r\n";

TEST(ModelsInBody, AreFoundInJsonAndForms) {
  struct Case {
    Body in;
    Names names;
  };
  const Case cases[] = {
      {{kJson, kChat, R"({"model":"a"})"}, {"a"}},
      {{"", kChat, R"({"model":"a"})"}, {"a"}},
      {{"text/plain", kChat, R"({"model":"a"})"}, {"a"}},
      {{"Application/JSON; Charset=\"UTF-8\"", kChat, R"({"model":"a"})"}, {"a"}},
      {{"application/x-www-form-urlencoded", kChat, R"({"model":"a","x":"b&c=d"})"}, {"a"}},
      {{kJson, kChat, R"({"model":"a","models":["b","c"],"fallbacks":["d"]})"},
       {"b", "c", "d", "a"}},
      {{kJson, kChat, R"({"models":"b"})"}, {"b"}},
      {{kJson, kChat,
        "{\n\t\"x\":[true,false,null,-1.5E+3,{}],\r\"y\":\"'\\\"/*\",\"model\":\"a\"}"},
       {"a"}},
      {{kJson, kChat, R"({"model":"a","name":"x"})"}, {"a"}},
      {{kJson, kChat, R"({"model":"a","name":{}, "Name":1})"}, {"a"}},
      {{kJson, kChat, "{}"}, {}},
      {{kJson, kChat, R"({"model":null})"}, {}},
      {{kJson, kChat, R"({"name":"a"})"}, {}},
      {{kJson, "/api/show", R"({"name":"a"})"}, {"a"}},
      {{kJson, "/api/sho%77", R"({"name":"a","model":"b"})"}, {"b", "a"}},
      {{"multipart/form-data; boundary=X", kChat, kForm}, {"whisper-1"}},
      {{"multipart/form-data; boundary=X", kChat, "--X--"}, {}},
  };
  for (const Case& c : cases) {
    const AskedModels asked = read_body(c.in.content_type, c.in.path, c.in.body);
    EXPECT_EQ(asked.names, c.names) << c.in.body;
    EXPECT_EQ(asked.problem, "") << c.in.body;
  }
}

TEST(ModelsInBody, AreUnclearWhereServersMayReadTwoThings) {
  const std::string json = R"({"model":"a"})";
  const Body cases[] = {
      {kJson, kChat, ""},
      {kJson, kChat, "[" + json + "]"},
      {kJson, kChat, json + json},
      {kJson, kChat, R"({"model":["b"],"models":["a"]})"},
      {kJson, kChat, R"({"model":{},"models":["a"]})"},
      // For a server that skips comments, or takes other quotes or none, the model is b.
      {kJson, kChat, R"({"x":1/*,"y":{*/,"model":"b"/*},"model":"a","z":0*/})"},
      {kJson, kChat, R"({"model":"a","x":['['],'model':'b',"y":[']']})"},
      {kJson, kChat, R"({"model":"a","x":[`[`],model:`b`,"y":[`]`]})"},
      {kJson, kChat, R"({"model":"a","x":[{y=1;z:2}]})"},
      {kJson, kChat, R"({"model":"a","model":"b"})"},
      {kJson, kChat, R"({"model":"a","Model":"b"})"},
      {kJson, kChat, R"({"model":"a","models":[{"id":"b"}]})"},
      {kJson, kChat, R"({"model":"a","fallbacks":[{"model":"b"}]})"},
      {kJson, kChat, R"({"model":"a","Models":["b"]})"},
      {kJson, "/api/show", R"({"model":"a","Name":"b"})"},
      {kJson, "/api/show", R"({"model":"a","name":["b"]})"},
      {kJson, "/api/create", R"({"model":"a","from":"b"})"},
      {kJson, "/api/copy", R"({"model":"a","source":"b"})"},
      {kJson, kChat, kForm},
      {"multipart/form-data; boundary=X", kChat, json},
      {"multipart/form-data; boundary=Y", kChat, kForm},
      {"multipart/form-data", kChat, kForm},
      {"multipart/mixed; boundary=X", kChat, json},
      {"application/json, multipart/form-data; boundary=X", kChat, json},
      {"nonsense", kChat, json},
      {"application/json; charset=utf-7", kChat, json},
      {"application/json; charset*=utf-7", kChat, json},
      {"application/json; charset=\"utf-7", kChat, json},
      {"application/x-www-form-urlencoded", kChat, R"({"model":"a","x":"&model=b"})"},
      {"application/x-www-form-urlencoded", kChat, R"({"model":"a","x":"&m%6fdel=b&y="})"},
      {"application/x-www-form-urlencoded", kChat, "model=a"},
  };
  for (const Body& c : cases) {
    const AskedModels asked = read_body(c.content_type, c.path, c.body);
    EXPECT_NE(asked.problem, "") << c.content_type << c.body;
    EXPECT_TRUE(asked.names.empty()) << c.body;
  }
}

TEST(ModelsInBody, OfAFormAreReadWithoutALookForJson) {
  int looks = 0;
  const auto look = [&]() -> const JsonPeek* {
    ++looks;
    return nullptr;
  };
  EXPECT_EQ(models_in_body("multipart/form-data; boundary=X", kChat, kForm, look).problem, "");
  EXPECT_EQ(looks, 0);
  EXPECT_NE(models_in_body(kJson, kChat, "{}", look).problem, "");
  EXPECT_EQ(looks, 1);
}

TEST(ModelsInBody, LooseJsonIsFoundBehindStringsOfAnyLength) {
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string filling(length, 'x');
    for (const char* end : {"", "\\\\", "\\\"", "\\\"\\\\", "\xC3\xA9"}) {
      const std::string begin = R"({"model":"a","x":")" + filling + end + R"(","y":)";
      EXPECT_EQ(read_body(kJson, kChat, begin + "1}").names, std::vector<std::string>{"a"})
          << begin;
      EXPECT_NE(read_body(kJson, kChat, begin + "'b'}").problem, "") << begin;
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
