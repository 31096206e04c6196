// Every way a value can be wrong.
#include "config_test_support.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

struct Case {
  std::string name;
  std::string value;
  std::string what;
};

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.name << "=" << test.value;
}

class LoadError : public InOwnDirectory, public testing::WithParamInterface<Case> {};

TEST_P(LoadError, NamesVariableSourceFaultAndWhatIsAccepted) {
  const Case& test = GetParam();
  const ConfigErrors errors = set_badly({{test.name, test.value}});
  const std::string& error = errors.front();
  EXPECT_TRUE(error.starts_with(test.name + " (environment): ")) << error;
  EXPECT_TRUE(mentions(error, test.what)) << error;
  EXPECT_TRUE(mentions(error, ". Accepted: ")) << error;
  EXPECT_FALSE(mentions(lines(errors), "secret")) << lines(errors);
  EXPECT_FALSE(mentions(error, "\n")) << error;
}

std::string route(const std::string& fields) {
  return "[{" + fields + "}]";
}
const std::string kUrl = R"("base_url":"http://h")";

INSTANTIATE_TEST_SUITE_P(
    Routes, LoadError,
    testing::Values(
        Case{"FORWARD_CONFIG", "nonsense", "is not valid JSON at character 2"},
        Case{"FORWARD_CONFIG", "[{]", "is not valid JSON at character 3"},
        Case{"FORWARD_CONFIG", "[\n{]", "is not valid JSON at line 2, character 2"},
        Case{"FORWARD_CONFIG", "'[]'", "the quotes around it are part of the value"},
        Case{"FORWARD_CONFIG", R"([{"base_url":"http://x","route":"/a/.."}])",
             "\"/a/..\" has a \".\" or \"..\" between its slashes"},
        Case{"FORWARD_CONFIG", R"([{"base_url":"http://x","route":"/%2E"}])",
             "has a \".\" or \"..\" between its slashes"},
        Case{"FORWARD_CONFIG",
             R"([{"base_url":"http://x","route":"/)" + std::string(200, 'a') + "\"}]",
             "is longer than 200 characters"},
        Case{"FORWARD_CONFIG", "[{'base_url': 'x'}]", "JSON wants double quotes"},
        Case{"FORWARD_CONFIG", "[1e999]", "number"},
        Case{"FORWARD_CONFIG", "[\"\xff\"]", "is not valid JSON"},
        Case{"FORWARD_CONFIG", std::string(40, '['), "nested more than 16 levels"},
        Case{"FORWARD_CONFIG", R"([{"a":1,"a":2}])", "one name twice"},
        Case{"FORWARD_CONFIG", "{}", "is an object, not a list"},
        Case{"FORWARD_CONFIG", "[]", "nothing would be forwarded"},
        Case{"FORWARD_CONFIG", "[1]", "entry 1 is a number"},
        Case{"FORWARD_CONFIG", route(R"("route":"/")"), "entry 1 has no \"base_url\""},
        Case{"FORWARD_CONFIG", route(kUrl), "entry 1 has no \"route\""},
        Case{"FORWARD_CONFIG", route(R"("base_url":1,"route":"/")"), "a number as \"base_url\""},
        Case{"FORWARD_CONFIG", route(kUrl + R"(,"route":"/","typ":"x")"), "unknown name \"typ\""},
        Case{"FORWARD_CONFIG", route(kUrl + R"(,"route":"/","type":"x")"), "neither openai nor"},
        Case{"FORWARD_CONFIG", route(kUrl + R"(,"route":"/a b")"), "has a route that is wrong"},
        Case{"FORWARD_CONFIG", route(R"("base_url":"http://u:secret@h","route":"/")"),
             "entry 1 has a base_url that has a user name"},
        Case{"FORWARD_CONFIG", "[{" + kUrl + R"(,"route":"/a"},{)" + kUrl + R"(,"route":"a/"}])",
             "has the route \"/a\" twice"},
        Case{"CHAT_COMPLETION_ROUTE", "v1/chat", "does not begin with a slash"},
        Case{"COMPLETION_ROUTE", "/v1?x", "is not a path"},
        Case{"EMBEDDING_ROUTE", "/a b", "is not a path"},
        Case{"CUSTOM_GENERAL_ROUTE", "x", "does not begin with a slash"},
        Case{"CUSTOM_MODEL_CONFIG", "[]", "is a list, not an object"},
        Case{"CUSTOM_MODEL_CONFIG", R"({"model_map":{}})", "has no \"backend\""},
        Case{"CUSTOM_MODEL_CONFIG", R"({"backend":"vllm"})", "only \"ollama\" is known"},
        Case{"CUSTOM_MODEL_CONFIG", R"({"backend":"ollama","model_map":[]})", "a list as"},
        Case{"CUSTOM_MODEL_CONFIG", R"({"backend":"ollama","model_map":{"a":1}})", "served name"},
        Case{"CUSTOM_MODEL_CONFIG", R"({"backend":"ollama","api_base":"x"})", "api_base that"},
        Case{"CUSTOM_MODEL_CONFIG", R"({"backend":"ollama","x":1})", "unknown name"},
        Case{"DEFAULT_STREAM_RESPONSE", "maybe", "\"maybe\" is neither true nor false"},
        Case{"BENCHMARK_MODE", "2", "neither true nor false"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, LoadError,
    testing::Values(
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":[0})", "is not valid JSON"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":[0],"sk-secret":[1]})", "one name twice"},
        Case{"OPENAI_API_KEY_CONFIG", R"(["sk-secret","sk-secret"])", "the same key twice"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":[]})", "an empty list of levels"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":["x"]})", "not a whole number"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":[1.5]})", "not a whole number"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":-1})", "not a whole number"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":99999999999999999999})",
             "not a whole number"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"sk-secret":true})", "not a whole number"},
        Case{"OPENAI_API_KEY_CONFIG", R"({"":[0]})", "an empty key"},
        Case{"OPENAI_API_KEY_CONFIG", "sk secret", "a key with a space"},
        Case{"OPENAI_API_KEY_CONFIG", "[12345]", "write keys in quotes"},
        Case{"FORWARD_KEY_CONFIG", R"({"fk-secret":["x"]})", "neither \"key\": level nor"},
        Case{"FORWARD_KEY_CONFIG", R"({"fk-secret":"x"})", "neither \"key\": level nor"},
        Case{"FORWARD_KEY_CONFIG", R"({"fk-secret":null})", "null where a level"},
        Case{"FORWARD_KEY_CONFIG", R"({"fk-secret":-1})", "not a whole number"},
        Case{"FORWARD_KEY_CONFIG", R"({"0":["fk-secret"],"1":["fk-secret"]})",
             "the same key twice"},
        Case{"FORWARD_KEY_CONFIG", R"({"0":[1]})", "write keys in quotes"},
        Case{"FORWARD_KEY_CONFIG", "sha256:secret", "64 hex digits"},
        Case{"LEVEL_MODELS", "[]", "is a list, not an object"},
        Case{"LEVEL_MODELS", R"({"x":["a"]})", "not a whole number"},
        Case{"LEVEL_MODELS", R"({"1":["a"],"01":["b"]})", "has level 1 twice"},
        Case{"LEVEL_MODELS", R"({"1":5})", "where a list of models belongs"},
        Case{"LEVEL_MODELS", R"({"1":[""]})", "not a model's name"},
        Case{"REQUIRE_FORWARD_KEY", "x", "neither true nor false"}));

INSTANTIATE_TEST_SUITE_P(
    Limits, LoadError,
    testing::Values(
        Case{"REQ_RATE_LIMIT", "100/minute", "is not valid JSON"},
        Case{"REQ_RATE_LIMIT", R"({"v1":"1/minute"})", "does not begin with a slash"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":"fast"})", "\"/v1\" \"fast\" is not a limit"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":5})", "\"/v1\" has a number where a limit belongs"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":["x"]})", "a string in its list of levels"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":[{"level":0}]})", "an entry without \"limit\""},
        Case{"REQ_RATE_LIMIT", R"({"/v1":[{"level":0,"limits":"x"}]})", "unknown name \"limits\""},
        Case{"REQ_RATE_LIMIT", R"({"/v1":[{"level":-1,"limit":"inf"}]})", "not a whole number"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":[{"level":0,"limit":"inf"},{"level":0,"limit":"inf"}]})",
             "limits for one level twice"},
        Case{"REQ_RATE_LIMIT", R"({"/v1":"inf","/v1/":"inf"})", "the route \"/v1\" twice"},
        Case{"TOKEN_RATE_LIMIT", R"([{"route":"/v1"}])", "an entry in its list that is not"},
        Case{"TOKEN_RATE_LIMIT", "5", "is a number, not an object"},
        Case{"TOKEN_QUOTA", R"({"/v1":"0/day"})", "the count must be"},
        Case{"GLOBAL_RATE_LIMIT", "200 minutes", "is not a limit"},
        Case{"RATE_LIMIT_STRATEGY", "leaky-bucket", "\"leaky-bucket\" is unknown"},
        Case{"REQ_RATE_LIMIT_BACKEND", "memcached://u:secret@h", "other than redis"},
        Case{"REQ_RATE_LIMIT_BACKEND", "redis://u:secret@h:99999", "port"},
        Case{"REDIS_TIMEOUT", "0", "less than a millisecond"},
        Case{"REDIS_TIMEOUT", "20ms", "is not a number of seconds"},
        Case{"ITER_CHUNK_TYPE", "two-by-two", "\"two-by-two\" is unknown"}));

INSTANTIATE_TEST_SUITE_P(
    TheRest, LoadError,
    testing::Values(
        Case{"CACHE_OPENAI", "ja", "neither true nor false"},
        Case{"CACHE_GENERAL", "ja", "neither true nor false"},
        Case{"CACHE_ROUTES", R"(["v1"])", "does not begin with a slash"},
        Case{"CACHE_ROUTES", "[1]", "has a number in its list"},
        Case{"CACHE_ROUTES", "{}", "is an object where a list belongs"},
        Case{"CACHE_BACKEND", "SQLITE", "\"SQLITE\" is unknown"},
        Case{"CACHE_ROOT_PATH_OR_URL", "redis://u:secret@h", "is a URL, and CACHE_BACKEND is not"},
        Case{"CACHE_SCOPE", "me", "\"me\" is unknown"},
        Case{"DEFAULT_REQUEST_CACHING_VALUE", "ja", "neither true nor false"},
        Case{"CACHE_TTL", "1h", "\"1h\" is not a whole number from 0 to"},
        Case{"CACHE_TTL", "0.5", "is not a whole number"},
        Case{"CACHE_TTL", "-1", "is not a whole number"},
        Case{"CACHE_TTL", "9223372036854775807", "is not a whole number from 0 to 3155760000"},
        Case{"CACHE_MAX_BYTES", "1023KiB", "\"1023KiB\" is too little"},
        Case{"CACHE_MAX_BYTES", "0", "is too little"},
        Case{"CACHE_MAX_BYTES", "all", "is not a number of bytes"},
        Case{"CACHE_MAX_ENTRY_BYTES", "0", "no answer would be kept"},
        Case{"CACHE_MAX_ENTRY_BYTES", "1GiB", "is more than all answers may take (256MiB)"},
        Case{"CACHE_REPLAY", "slow", "\"slow\" is unknown"},
        Case{"CACHE_SINGLE_FLIGHT", "ja", "neither true nor false"},
        Case{"LOG_OPENAI", "ja", "neither true nor false"},
        Case{"LOG_GENERAL", "ja", "neither true nor false"},
        Case{"PRINT_CHAT", "ja", "neither true nor false"},
        Case{"LOG_ROTATE_BYTES", "10", "\"10\" is too little"},
        Case{"LOG_KEEP", "-1", "not a whole number"},
        Case{"LOG_COMPRESS", "gzip", "neither off nor zstd"},
        Case{"LOG_QUEUE_BYTES", "1KiB", "is too little"},
        Case{"LOG_OVERFLOW", "block", "neither drop nor wait"},
        Case{"LOG_REDACT", "(", "has the pattern \"(\": missing )"},
        Case{"LOG_REDACT",
             R"(["a"])"
             "]",
             "is not valid JSON"},
        Case{"LOG_REDACT", "a*", "matches even an empty text"},
        Case{"LOG_REDACT", "((a?){900})b", "which takes too long"},
        Case{"CLIENT_GONE", "stop", "\"stop\" is neither cancel nor drain"},
        Case{"CLIENT_GONE", "drain:", "has nothing after \"drain:\""},
        Case{"CLIENT_GONE", "drain:0s", "has \"0s\" as a time"},
        Case{"CLIENT_GONE", "drain:1441m", "neither a time of at most a day"},
        Case{"CLIENT_GONE", "drain:1s,2s", "has \"2s\" as a time"},
        Case{"CLIENT_GONE", "drain:1KiB,soon", "has \"soon\", which is neither a time"},
        Case{"CLIENT_GONE", R"({"v1":"drain"})", "has a route that is wrong"},
        Case{"CLIENT_GONE", R"({"/":true})", "\"/\" has true where a word belongs"},
        Case{"CLIENT_GONE", "[]", "is a list, not an object"},
        Case{"IP_WHITELIST", "10.0.0.0/8,nonsense", "\"nonsense\" is not an IP address"},
        Case{"IP_BLACKLIST", "10.0.0.1/8", "the block is 10.0.0.0/8"},
        Case{"TRUSTED_PROXIES", "10.0.0.0/64", "from 0 to 32"},
        Case{"PROXY_PROTOCOL", "v2", "neither true nor false"},
        Case{"FORWARD_CLIENT_IP", "ja", "neither true nor false"},
        Case{"CORS_ORIGINS", "example.com", "does not begin with a scheme"},
        Case{"CORS_ORIGINS", "https://a/path", "more than scheme, host and port"},
        Case{"CORS_ORIGINS", "https://*.a.example", "host"},
        Case{"CORS_ORIGINS", "*,https://a", "* and single origins"},
        Case{"PROXY", "socks5://u:secret@h:1080", "other than http"},
        Case{"HTTPS_PROXY", "http://u:secret@h:x", "port"},
        Case{"HTTP_PROXY", "http://", "no host"},
        Case{"TIMEOUT", "10s", "is not a number of seconds"},
        Case{"TIMEOUT", "0", "less than a millisecond"}, Case{"TIMEOUT", "-1", "out of range"},
        Case{"FIRST_BYTE_TIMEOUT", "inf", "is not a number of seconds"},
        Case{"IDLE_TIMEOUT", "nan", "is not a number of seconds"},
        Case{"CLIENT_TIMEOUT", "1000001", "out of range"},
        Case{"DRAIN_TIMEOUT", "-0.5", "out of range"},
        Case{"DRAIN_TIMEOUT", "1e3", "is not a number of seconds"},
        Case{"MAX_BODY_BYTES", "0", "would refuse every body"},
        Case{"MAX_BODY_BYTES", "1.5GiB", "is not a number of bytes"},
        Case{"MAX_BODY_BYTES", "32m", "is not a number of bytes"},
        Case{"MAX_BUFFERED_BODY_BYTES", "2048TiB", "is over 1024 TiB"},
        Case{"MAX_BUFFERED_BODY_BYTES", "GiB", "is not a number of bytes"},
        Case{"MAX_CONNECTIONS", "-1", "is not a whole number"},
        Case{"ADMIN_SOCKET", "/" + std::string(107, 'x'), "is longer than 107 bytes"},
        Case{"HOST", "a b", "\"a b\" has a host"},
        Case{"HOST", "10.0.0.256", "looks like an IPv4 address"},
        Case{"HOST", "[10.0.0.1", "has a host"},
        Case{"PORT", "65536", "is not a whole number from 0 to 65535"},
        Case{"PORT", "http", "is not a whole number"}, Case{"PORT", "+80", "is not a whole number"},
        Case{"PORT", "80\x1b[31m", "\"80?[31m\""},
        Case{"WORKERS", "0", "is not a whole number from 1 to 1024"},
        Case{"WEBUI", "ja", "neither true nor false"},
        Case{"WEBUI_PORT", "x", "is not a whole number"}, Case{"TZ", "a b", "is not a time zone"},
        Case{"TZ", "Asia/Nowhere", "is unknown to this system"},
        Case{"TZ", "Asia/../../etc", "is unknown to this system"}));

class LoadErrors : public InOwnDirectory {};

TEST_F(LoadErrors, AreAllFoundAtOnce) {
  const ConfigErrors errors = set_badly(
      {{"PORT", "x"}, {"TIMEOUT", "y"}, {"FORWARD_CONFIG", R"([{"route":1},{"base_url":"x"}])"}});
  EXPECT_EQ(errors.size(), 5U) << lines(errors);
}

TEST_F(LoadErrors, LongValuesAreCut) {
  const ConfigErrors errors = set_badly({{"PORT", std::string(1000, 'x')}});
  EXPECT_LT(errors.front().size(), 250U);
}

TEST_F(LoadErrors, NothingIsThrownOverHostileValues) {
  const std::vector<std::string> values{std::string(100'000, '['),
                                        std::string(100'000, '{'),
                                        std::string(1000, '\xff'),
                                        R"({"a":{"a":{}}})",
                                        "\"",
                                        "'",
                                        "[[],{},null,true,1,\"\"]",
                                        "{\"\":null}",
                                        "null",
                                        "true",
                                        "-0",
                                        "1e400",
                                        "99999999999999999999999",
                                        "\xc0\x80",
                                        "://@:/"};
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      for (const std::string& value : values) {
        EXPECT_NO_THROW(load(environment({{std::string(variable.name), value}}))) << variable.name;
      }
    }
  }
}

}  // namespace
}  // namespace aifd::config
