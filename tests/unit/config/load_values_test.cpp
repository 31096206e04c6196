// Every variable, changed once from its default.
#include <functional>
#include <set>

#include "config_test_support.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

using std::chrono::milliseconds;

struct Case {
  std::string name;
  std::string value;
  std::function<bool(const Settings&)> changed;
  std::map<std::string, std::string> with;  // what else must be set
};

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.name;
}

class LoadValue : public InOwnDirectory, public testing::WithParamInterface<Case> {};

TEST_P(LoadValue, ChangesTheSetting) {
  write_tls_files();
  const Case& test = GetParam();
  Values values = test.with;
  const Settings before = set_well(values).settings;
  if (test.changed) {
    EXPECT_FALSE(test.changed(before)) << "is the default already";
  }
  values[test.name] = test.value;
  const Settings after = set_well(values).settings;
  if (test.changed) {
    EXPECT_TRUE(test.changed(after));
  }
  EXPECT_EQ(after.origins.at(test.name), "environment");
}

TEST_P(LoadValue, EmptyIsTheDefault) {
  if (GetParam().name == "TRUSTED_PROXIES" || !GetParam().with.empty()) return;
  const Settings after = set_well({{GetParam().name, "  "}}).settings;
  if (GetParam().changed) {
    EXPECT_FALSE(GetParam().changed(after));
  }
  EXPECT_FALSE(after.origins.contains(GetParam().name));
}

std::string text(const CidrSet& set) {
  std::string result;
  for (const Cidr& block : set.blocks()) result += block.to_string() + " ";
  return result;
}

const Case kCases[] = {
    {"FORWARD_CONFIG",
     R"([{"base_url":"http://localhost:1/v1","route":"x//y/","type":"general"}])",
     [](const Settings& s) {
       return s.routes.size() == 1 && s.routes[0].base_url.to_string() == "http://localhost:1/v1" &&
              s.routes[0].prefix == "/x/y" && s.routes[0].type == RouteType::general;
     },
     {}},
    {"CHAT_COMPLETION_ROUTE",
     "/v2//chat/",
     [](const Settings& s) { return s.chat_completion_path == "/v2/chat"; },
     {}},
    {"COMPLETION_ROUTE",
     "/v2/c",
     [](const Settings& s) { return s.completion_path == "/v2/c"; },
     {}},
    {"EMBEDDING_ROUTE", "/v2/e", [](const Settings& s) { return s.embedding_path == "/v2/e"; }, {}},
    {"CUSTOM_GENERAL_ROUTE",
     "/g",
     [](const Settings& s) { return s.custom_general_path == "/g"; },
     {}},
    {"CUSTOM_MODEL_CONFIG",
     R"({"backend":"ollama","model_map":{"a":"b:7"},"api_base":"http://o:1"})",
     [](const Settings& s) {
       return s.model_map.models == std::map<std::string, std::string>{{"a", "b:7"}} &&
              s.model_map.api_base.to_string() == "http://o:1";
     },
     {}},
    {"DEFAULT_STREAM_RESPONSE",
     "false",
     [](const Settings& s) { return !s.default_stream_response; },
     {}},
    {"BENCHMARK_MODE", "True", [](const Settings& s) { return s.benchmark_mode; }, {}},
    {"OPENAI_API_KEY_CONFIG",
     R"({"sk-1":[0,2],"sk-2":1,"sk-3":"3, 4"})",
     [](const Settings& s) {
       return s.api_keys.size() == 3 && s.api_keys[0].key.reveal() == "sk-1" &&
              s.api_keys[0].levels == std::vector{0, 2} && s.api_keys[1].levels == std::vector{1} &&
              s.api_keys[2].levels == std::vector{3, 4};
     },
     {}},
    {"FORWARD_KEY_CONFIG",
     R"({"fk-0":0,"1":["fk-1","fk-11"],"2":"fk-2"})",
     [](const Settings& s) {
       std::map<std::string, int> levels;
       for (const ForwardKey& key : s.forward_keys)
         levels[std::string(key.key.reveal())] = key.level;
       return levels ==
              std::map<std::string, int>{{"fk-0", 0}, {"fk-1", 1}, {"fk-11", 1}, {"fk-2", 2}};
     },
     {{"OPENAI_API_KEY_CONFIG", "sk-1"}}},
    {"LEVEL_MODELS",
     R"({"1":["gpt-4","o*"],"02":"x"})",
     [](const Settings& s) {
       return s.level_models ==
              std::map<int, std::vector<std::string>>{{1, {"gpt-4", "o*"}}, {2, {"x"}}};
     },
     {}},
    {"API_KEY_COOLDOWN",
     "0.5",
     [](const Settings& s) { return s.api_key_cooldown == milliseconds(500); },
     {}},
    {"REQUIRE_FORWARD_KEY",
     "yes",
     [](const Settings& s) { return s.require_forward_key; },
     {{"OPENAI_API_KEY_CONFIG", "sk-1"}, {"FORWARD_KEY_CONFIG", "fk-1"}}},
    {"REQ_RATE_LIMIT",
     R"({"/a/":"60/minute","/b":[{"level":1,"limit":"1/second"},{"limit":"inf"}]})",
     [](const Settings& s) {
       const RouteLimits& limits = s.limits.requests;
       return limits.size() == 2 && limits.at("/a").size() == 1 && !limits.at("/a")[0].level &&
              to_string(limits.at("/a")[0].limits) == "60/minute" && limits.at("/b").size() == 2 &&
              limits.at("/b")[0].level == 1 && !limits.at("/b")[1].level &&
              limits.at("/b")[1].limits.empty();
     },
     {}},
    {"GLOBAL_RATE_LIMIT",
     "200/minute",
     [](const Settings& s) { return to_string(s.limits.global) == "200/minute"; },
     {}},
    {"RATE_LIMIT_STRATEGY",
     "Moving_Window",
     [](const Settings& s) { return s.limits.strategy == RateLimitStrategy::moving_window; },
     {}},
    {"REQ_RATE_LIMIT_BACKEND",
     "redis://u:p@h:1/2",
     [](const Settings& s) { return s.limits.backend_url.reveal() == "redis://u:p@h:1/2"; },
     {}},
    {"REDIS_TIMEOUT",
     "0.005",
     [](const Settings& s) { return s.limits.backend_timeout == std::chrono::milliseconds(5); },
     {}},
    {"TOKEN_RATE_LIMIT",
     R"([{"route":"/a","value":"20/second"}])",
     [](const Settings& s) { return s.limits.tokens.contains("/a"); },
     {}},
    {"TOKEN_QUOTA",
     R"({"/":"1000/day"})",
     [](const Settings& s) { return s.limits.token_quota.contains("/"); },
     {}},
    {"ITER_CHUNK_TYPE",
     "one-by-one",
     [](const Settings& s) { return s.limits.iter_chunk_type == IterChunkType::one_by_one; },
     {}},
    {"CACHE_OPENAI", "1", [](const Settings& s) { return s.cache.openai; }, {}},
    {"CACHE_GENERAL", "on", [](const Settings& s) { return s.cache.general; }, {}},
    {"CACHE_ROUTES",
     R"(["/v1/chat/completions", "/gemini/"])",
     [](const Settings& s) {
       return s.cache.routes == std::vector<std::string>{"/v1/chat/completions", "/gemini"};
     },
     {}},
    {"CACHE_BACKEND",
     "leveldb",
     [](const Settings& s) { return s.cache.backend == CacheBackend::leveldb; },
     {}},
    {"CACHE_ROOT_PATH_OR_URL",
     "/var/cache/aifd",
     [](const Settings& s) { return s.cache.root_path_or_url == "/var/cache/aifd"; },
     {}},
    {"CACHE_SCOPE", "global", [](const Settings& s) { return s.cache.shared_by_all_callers; }, {}},
    {"DEFAULT_REQUEST_CACHING_VALUE",
     "true",
     [](const Settings& s) { return s.cache.cached_by_default; },
     {}},
    {"CACHE_TTL",
     "86400",
     [](const Settings& s) { return s.cache.ttl == std::chrono::days(1); },
     {}},
    {"CACHE_MAX_BYTES",
     "1MiB",
     [](const Settings& s) {
       return s.cache.max_bytes == 1ULL << 20 && s.cache.byte_limit() == 1ULL << 20;
     },
     {}},
    {"CACHE_MAX_ENTRY_BYTES",
     "64KiB",
     [](const Settings& s) { return s.cache.max_entry_bytes == 65536; },
     {}},
    {"CACHE_REPLAY",
     "Original",
     [](const Settings& s) { return s.cache.replay == CacheReplay::original; },
     {}},
    {"CACHE_SINGLE_FLIGHT", "no", [](const Settings& s) { return !s.cache.single_flight; }, {}},
    {"LOG_OPENAI", "TRUE", [](const Settings& s) { return s.logs.openai; }, {}},
    {"LOG_GENERAL", "true", [](const Settings& s) { return s.logs.general; }, {}},
    {"PRINT_CHAT", "true", [](const Settings& s) { return s.logs.print_chat; }, {}},
    {"LOG_FOLDER",
     "/var/log/aifd",
     [](const Settings& s) { return s.logs.folder == "/var/log/aifd"; },
     {}},
    {"LOG_ROTATE_BYTES",
     "1MB",
     [](const Settings& s) { return s.logs.rotate_bytes == 1'000'000; },
     {}},
    {"LOG_KEEP", "20", [](const Settings& s) { return s.logs.keep == 20; }, {}},
    {"LOG_COMPRESS", "ZSTD", [](const Settings& s) { return s.logs.compress; }, {}},
    {"LOG_QUEUE_BYTES", "64KiB", [](const Settings& s) { return s.logs.queue_bytes == 65536; }, {}},
    {"LOG_OVERFLOW",
     "Wait",
     [](const Settings& s) { return s.logs.overflow == LogOverflow::wait; },
     {}},
    {"LOG_REDACT",
     R"(["\\d+", "a b"])",
     [](const Settings& s) {
       return s.logs.redact == std::vector<std::string>{"\\d+", "a b"};
     },
     {}},
    {"CLIENT_GONE",
     "drain:30s,64KiB",
     [](const Settings& s) {
       return s.client_gone ==
              std::map<std::string, ClientGone>{{"/", {true, std::chrono::seconds(30), 65536}}};
     },
     {}},
    {"ACCESS_LOG", "OFF", [](const Settings& s) { return s.logs.access == "off"; }, {}},
    {"IP_WHITELIST",
     "10.0.0.0/8, ::1,",
     [](const Settings& s) { return text(s.ip_whitelist) == "10.0.0.0/8 ::1/128 "; },
     {}},
    {"IP_BLACKLIST",
     R"(["10.0.0.1"])",
     [](const Settings& s) { return text(s.ip_blacklist) == "10.0.0.1/32 "; },
     {}},
    {"TRUSTED_PROXIES",
     "10.0.0.0/8",
     [](const Settings& s) { return text(s.trusted_proxies) == "10.0.0.0/8 "; },
     {}},
    {"PROXY_PROTOCOL", "yes", [](const Settings& s) { return s.proxy_protocol; }, {}},
    {"FORWARD_CLIENT_IP", "true", [](const Settings& s) { return s.forward_client_ip; }, {}},
    {"CORS_ORIGINS",
     "https://A.example/, chrome-extension://abc",
     [](const Settings& s) {
       return s.cors_origins ==
              std::vector<std::string>{"https://a.example", "chrome-extension://abc"};
     },
     {}},
    {"PROXY",
     "http://u:p@proxy:3128",
     [](const Settings& s) {
       return s.proxy && s.proxy->port == 3128 && s.proxy->credentials.reveal() == "u:p" &&
              s.http_proxy;
     },
     {}},
    {"HTTPS_PROXY",
     "http://proxy:1",
     [](const Settings& s) { return s.proxy && s.proxy->port == 1 && !s.http_proxy; },
     {}},
    {"HTTP_PROXY",
     "http://proxy:2",
     [](const Settings& s) { return s.http_proxy && s.http_proxy->port == 2 && !s.proxy; },
     {}},
    {"NO_PROXY",
     "Localhost,.corp, 10.0.0.0/8",
     [](const Settings& s) {
       return s.no_proxy == std::vector<std::string>{"localhost", ".corp", "10.0.0.0/8"};
     },
     {}},
    {"TIMEOUT",
     "0.25",
     [](const Settings& s) { return s.timeouts.connect == milliseconds(250); },
     {}},
    {"FIRST_BYTE_TIMEOUT",
     "7",
     [](const Settings& s) { return s.timeouts.first_byte == milliseconds(7000); },
     {}},
    {"IDLE_TIMEOUT",
     "7",
     [](const Settings& s) { return s.timeouts.idle == milliseconds(7000); },
     {}},
    {"CLIENT_TIMEOUT",
     "7",
     [](const Settings& s) { return s.timeouts.client == milliseconds(7000); },
     {}},
    {"MAX_BODY_BYTES",
     "2GiB",
     [](const Settings& s) { return s.max_body_bytes == 2ULL << 30; },
     {}},
    {"MAX_BUFFERED_BODY_BYTES",
     "1024",
     [](const Settings& s) { return s.max_buffered_body_bytes == 1024; },
     {}},
    {"HOST", "[::1]", [](const Settings& s) { return s.listen.host == "::1"; }, {}},
    {"PORT", "0", [](const Settings& s) { return s.listen.port == 0; }, {}},
    {"WORKERS", "4", [](const Settings& s) { return s.listen.workers == 4; }, {}},
    {"ssl_keyfile",
     "key.pem",
     nullptr,
     {{"ssl_certfile", "cert.pem"}, {"ssl_keyfile", "./key.pem"}}},
    {"ssl_certfile",
     "cert.pem",
     nullptr,
     {{"ssl_certfile", "./cert.pem"}, {"ssl_keyfile", "key.pem"}}},
    {"WEBUI", "true", [](const Settings& s) { return s.listen.web_ui; }, {}},
    {"WEBUI_PORT", "9001", [](const Settings& s) { return s.listen.web_ui_port == 9001; }, {}},
    {"MAX_CONNECTIONS", "99", [](const Settings& s) { return s.max_connections == 99; }, {}},
    {"DRAIN_TIMEOUT",
     "0",
     [](const Settings& s) { return s.timeouts.drain == milliseconds(0); },
     {}},
    {"ADMIN_SOCKET", "OFF", [](const Settings& s) { return s.admin_socket == "off"; }, {}},
    {"TZ", "UTC", [](const Settings& s) { return s.time_zone == "UTC"; }, {}},
    {"WEBUI_RESTART_PORT", "15555", nullptr, {}},
    {"WEBUI_LOG_PORT", "15556", nullptr, {}},
    {"LOG_CACHE_DB_INFO", "true", nullptr, {}},
};

INSTANTIATE_TEST_SUITE_P(EveryVariable, LoadValue, testing::ValuesIn(kCases),
                         [](const auto& param) { return param.param.name; });

TEST(Variables, HaveACaseHere) {
  std::set<std::string_view> tested;
  for (const Case& test : kCases) tested.insert(test.name);
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      EXPECT_TRUE(tested.contains(variable.name)) << variable.name;
      EXPECT_EQ(find_variable(variable.name), &variable) << "is in the table twice";
      EXPECT_FALSE(variable.accepted.empty()) << variable.name;
    }
  }
}

}  // namespace
}  // namespace aifd::config
