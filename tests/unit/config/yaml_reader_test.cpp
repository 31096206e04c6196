#include "yaml_reader.hpp"

#include <gtest/gtest.h>

#include <array>

#include "config_test_support.hpp"

namespace aifd::config {
namespace {

std::map<std::string, std::string> texts(const YamlFile& file) {
  std::map<std::string, std::string> result;
  for (const auto& [name, value] : file.values) result[name] = value.text;
  return result;
}

TEST(ParseYaml, ReadsTheOriginalsLayout) {
  const YamlFile file = parse_yaml(R"(
log:
  general: true
  openai: false
cache:
  general: true
  openai: false
  routes:
    - "/v1/chat/completions"
  backend: MEMORY
  root_path_or_url: "./FLAXKV_DB"
  default_request_caching_value: false
chat_completion_route: "/v1/chat/completions"
forward:
  - base_url: "https://api.openai.com"
    route: "/"
    type: "openai"
custom_model_config:
  backend: "ollama"
  model_map:
    gpt-3.5-turbo: "qwen2:7b"
api_key:
  level:
    1: ["gpt-4"]
  openai_key:
    "sk-xxx3": [1, 2]
  forward_key:
    0: ["fk-0"]
rate_limit:
  global_rate_limit: "200/minute"
  strategy: "moving-window"
  iter_chunk: "one-by-one"
  req_rate_limit:
    - route: "/v1/completions"
      value:
      - level: 0
        limit: "60/minute;600/hour"
  req_rate_limit_backend: "redis://localhost:6379"
  token_rate_limit:
    - route: "/v1/completions"
      value: 60/second
timeout: 6
ip_blacklist:
proxy:
tz: Asia/Shanghai
)");
  EXPECT_EQ(lines(file.errors), "");
  const std::map<std::string, std::string> expected{
      {"LOG_GENERAL", "true"},
      {"LOG_OPENAI", "false"},
      {"CACHE_GENERAL", "true"},
      {"CACHE_OPENAI", "false"},
      {"CACHE_ROUTES", R"(["/v1/chat/completions"])"},
      {"CACHE_BACKEND", "MEMORY"},
      {"CACHE_ROOT_PATH_OR_URL", "./FLAXKV_DB"},
      {"DEFAULT_REQUEST_CACHING_VALUE", "false"},
      {"CHAT_COMPLETION_ROUTE", "/v1/chat/completions"},
      {"FORWARD_CONFIG", R"([{"base_url":"https://api.openai.com","route":"/","type":"openai"}])"},
      {"CUSTOM_MODEL_CONFIG", R"({"backend":"ollama","model_map":{"gpt-3.5-turbo":"qwen2:7b"}})"},
      {"LEVEL_MODELS", R"({"1":["gpt-4"]})"},
      {"OPENAI_API_KEY_CONFIG", R"({"sk-xxx3":[1,2]})"},
      {"FORWARD_KEY_CONFIG", R"({"0":["fk-0"]})"},
      {"GLOBAL_RATE_LIMIT", "200/minute"},
      {"RATE_LIMIT_STRATEGY", "moving-window"},
      {"ITER_CHUNK_TYPE", "one-by-one"},
      {"REQ_RATE_LIMIT",
       R"([{"route":"/v1/completions","value":[{"level":0,"limit":"60/minute;600/hour"}]}])"},
      {"REQ_RATE_LIMIT_BACKEND", "redis://localhost:6379"},
      {"TOKEN_RATE_LIMIT", R"([{"route":"/v1/completions","value":"60/second"}])"},
      {"TIMEOUT", "6"},
      {"TZ", "Asia/Shanghai"},
  };
  EXPECT_EQ(texts(file), expected);
}

TEST(ParseYaml, ReadsVariableNamesInEitherCase) {
  const YamlFile file = parse_yaml(
      "PORT: 9000\nmax_body_bytes: 32MiB\nssl_keyfile: k\nSSL_CERTFILE: c\n"
      "FORWARD_CONFIG: '[]'\ncache_openai: yes\nforward_key_config_file: /run/fk\n");
  EXPECT_EQ(lines(file.errors), "");
  const std::map<std::string, std::string> expected{{"PORT", "9000"},
                                                    {"MAX_BODY_BYTES", "32MiB"},
                                                    {"ssl_keyfile", "k"},
                                                    {"SSL_CERTFILE", "c"},
                                                    {"FORWARD_CONFIG", "[]"},
                                                    {"CACHE_OPENAI", "yes"},
                                                    {"FORWARD_KEY_CONFIG_FILE", "/run/fk"}};
  EXPECT_EQ(texts(file), expected);
}

TEST(ParseYaml, KeepsWherePlainValuesStand) {
  const YamlFile file = parse_yaml("timeout: 6\n\nlog:\n  openai:   true\n");
  EXPECT_EQ(file.values.at("TIMEOUT").line, 1);
  EXPECT_EQ(file.values.at("TIMEOUT").column, 10);
  EXPECT_EQ(file.values.at("LOG_OPENAI").line, 4);
  EXPECT_EQ(file.values.at("LOG_OPENAI").column, 13);
}

TEST(ParseYaml, TellsScalarsApart) {
  const YamlFile file = parse_yaml(
      "cache_routes: [a, \"1\", 1, -1, 007, 1.5, true, \"true\", False, ~, null, '', yes, 10:20]");
  EXPECT_EQ(lines(file.errors), "");
  EXPECT_EQ(file.values.at("CACHE_ROUTES").text,
            R"(["a","1",1,-1,"007","1.5",true,"true",false,null,null,"","yes","10:20"])");
}

TEST(ParseYaml, NothingIsNothing) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "~", "---\n...\n",
                           "%YAML 1.2\n---\n", "log:\ncache:\ntimeout:\n"}) {
    const YamlFile file = parse_yaml(text);
    EXPECT_EQ(lines(file.errors), "") << text;
    EXPECT_TRUE(file.values.empty()) << text;
  }
}

TEST(ParseYaml, NamesEveryErrorWithItsPlace) {
  const std::array cases{
      std::pair{"a:\n  - [", "2:1: is not valid YAML"},
      std::pair{"\tport: 1", "1:6: is not valid YAML"},
      std::pair{"port: 1\n--- \nport: 2", "1:1: is not one YAML document"},
      std::pair{",port: 1", "1:1: is not one YAML document"},
      std::pair{"[1, 2]", "1:1: the file must hold names"},
      std::pair{"log: true", "1:6: log must hold names"},
      std::pair{"port: 1\nport: 2", "2:1: port is given twice"},
      std::pair{"port: 1\nPORT: 2", "2:1: PORT sets PORT, which is set above already"},
      std::pair{"cache:\n  openai: true\nCACHE_OPENAI: false",
                "3:1: CACHE_OPENAI sets CACHE_OPENAI, which is set above already"},
      std::pair{"log:\n  openai: true\n  openai: true", "3:3: openai is given twice"},
      std::pair{"\nprot: 1", "2:1: \"prot\" is unknown; did you mean port?"},
      std::pair{"nonsense: 1", "1:1: \"nonsense\" is unknown"},
      std::pair{"log:\n  opnai: true", "2:3: \"opnai\" is unknown in log"},
      std::pair{"[a]: 1", "1:1: a name must be plain text"},
      std::pair{"level_models:\n  1: [a]\n  \"1\": [b]", "3:3: a name is given twice"},
      std::pair{"level_models: {[1]: a}", "1:16: a name must be plain text"},
      std::pair{"cache_routes: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
                "nested more than 16 levels"},
      std::pair{"cache_routes: [\"\xff\"]", "1:15: is not UTF-8 text"},
  };
  for (const auto& [text, error] : cases) {
    const YamlFile file = parse_yaml(text);
    EXPECT_TRUE(mentions(lines(file.errors), error)) << text << "\n" << lines(file.errors);
  }
}

TEST(ParseYaml, AliasesCannotGrowWithoutEnd) {
  std::string text = "level_models:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = 'b'; name < 'g'; ++name) {
    const std::string before = std::string("*") + static_cast<char>(name - 1);
    text += std::string("  ") + name + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) text += before + (i < 9 ? ", " : "]\n");
  }
  EXPECT_TRUE(mentions(lines(parse_yaml(text).errors), "grows over 10000 values"));
  EXPECT_FALSE(parse_yaml("cache_routes: &a [*a]").errors.empty());
}

TEST(ParseYaml, SurvivesDeepNesting) {
  EXPECT_FALSE(parse_yaml("port: " + std::string(100'000, '[')).errors.empty());
  EXPECT_FALSE(parse_yaml("port: " + std::string(10'000, '{')).errors.empty());
}

}  // namespace
}  // namespace aifd::config
