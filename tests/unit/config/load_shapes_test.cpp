// The defaults, and the several shapes in which one value may be written.
#include <algorithm>
#include <thread>

#include "config_test_support.hpp"

namespace aifd::config {
namespace {

std::string text(const CidrSet& set) {
  std::string result;
  for (const Cidr& block : set.blocks()) result += block.to_string() + " ";
  return result;
}

class LoadShapes : public InOwnDirectory {};

TEST_F(LoadShapes, DefaultsAreTheContracts) {
  const Settings s = set_well(Values{}).settings;
  ASSERT_EQ(s.routes.size(), 1U);
  EXPECT_EQ(s.routes[0].base_url.to_string(), "https://api.openai.com");
  EXPECT_EQ(s.routes[0].prefix, "/");
  EXPECT_EQ(s.routes[0].type, RouteType::openai);
  EXPECT_EQ(text(s.trusted_proxies), "127.0.0.1/32 ::1/128 ");
  EXPECT_TRUE(s.origins.empty());
}

TEST_F(LoadShapes, RoutesAreSortedLongestFirst) {
  const Settings s = set_well({{"FORWARD_CONFIG",
                                R"([{"base_url":"http://a","route":""},
                                     {"base_url":"http://b","route":"/bb","type":"openai"},
                                     {"base_url":"http://c","route":"/bb/c"}])"}})
                         .settings;
  ASSERT_EQ(s.routes.size(), 3U);
  EXPECT_EQ(s.routes[0].prefix, "/bb/c");
  EXPECT_EQ(s.routes[1].prefix, "/bb");
  EXPECT_EQ(s.routes[2].prefix, "/");
  EXPECT_EQ(s.routes[2].type, RouteType::general);
}

TEST_F(LoadShapes, KeysMayBeAListOrPlainText) {
  for (const char* keys : {R"(["sk-1","sk-2"])", "sk-1,sk-2", "sk-1 , sk-2,"}) {
    const Settings s = set_well({{"OPENAI_API_KEY_CONFIG", keys}}).settings;
    ASSERT_EQ(s.api_keys.size(), 2U) << keys;
    EXPECT_EQ(s.api_keys[1].key.reveal(), "sk-2");
    EXPECT_TRUE(s.api_keys[1].levels.empty());
  }
  EXPECT_EQ(set_well({{"OPENAI_API_KEY_CONFIG", R"("sk-1")"}}).settings.api_keys.size(), 1U);
}

TEST_F(LoadShapes, ForwardKeysMayBeAListAPlainTextOrDigests) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  for (const std::string keys : {R"(["fk-1"])", "fk-1", R"("fk-1")", R"({"0":["fk-1"]})"}) {
    const Settings s =
        set_well({{"FORWARD_KEY_CONFIG", keys}, {"OPENAI_API_KEY_CONFIG", "sk-1"}}).settings;
    ASSERT_EQ(s.forward_keys.size(), 1U) << keys;
    EXPECT_EQ(s.forward_keys[0].key.reveal(), "fk-1");
    EXPECT_EQ(s.forward_keys[0].level, 0);
  }
  EXPECT_EQ(set_well({{"FORWARD_KEY_CONFIG", digest}, {"OPENAI_API_KEY_CONFIG", "sk-1"}})
                .settings.forward_keys[0]
                .key.reveal(),
            digest);
}

TEST_F(LoadShapes, WorkersMayBeOneForEachCore) {
  EXPECT_EQ(set_well({{"WORKERS", "auto"}}).settings.listen.workers,
            std::max(1U, std::thread::hardware_concurrency()));
}

TEST_F(LoadShapes, NobodyIsTrustedWhenProxiesAreEmpty) {
  EXPECT_TRUE(set_well({{"TRUSTED_PROXIES", ""}}).settings.trusted_proxies.empty());
}

TEST_F(LoadShapes, AStarIsAnyOrigin) {
  EXPECT_TRUE(set_well({{"CORS_ORIGINS", "*"}}).settings.cors_origins.empty());
}

TEST_F(LoadShapes, MemoryIsABackend) {
  EXPECT_TRUE(set_well({{"REQ_RATE_LIMIT_BACKEND", "memory"}}).settings.limits.backend_url.empty());
}

TEST_F(LoadShapes, ProxyGoesBeforeTheEnvironmentsOthers) {
  const Settings s = set_well({{"PROXY", "http://one:1"},
                               {"HTTPS_PROXY", "http://two:2"},
                               {"HTTP_PROXY", "http://three:3"},
                               {"NO_PROXY", "*"}})
                         .settings;
  EXPECT_EQ(s.proxy->host, "one");
  EXPECT_EQ(s.http_proxy->host, "one");
  EXPECT_TRUE(s.no_proxy.empty());
  const Settings lower = set_well({{"https_proxy", "two:2"}, {"no_proxy", "a"}}).settings;
  EXPECT_EQ(lower.proxy->host, "two");
  EXPECT_EQ(lower.no_proxy, std::vector<std::string>{"a"});
}

TEST_F(LoadShapes, SizesHaveUnits) {
  const std::map<std::string, std::uint64_t> cases{
      {"7", 7}, {"7B", 7}, {"2KiB", 2048}, {"2 kb", 2000}, {"3MB", 3000000}, {"1tib", 1ULL << 40}};
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(set_well({{"MAX_BODY_BYTES", text}}).settings.max_body_bytes, bytes) << text;
  }
}

TEST_F(LoadShapes, TimeZonesMayBeRulesOrFiles) {
  for (const char* zone : {"CST-8", ":/etc/localtime", "/etc/localtime"}) {
    EXPECT_EQ(set_well({{"TZ", zone}}).settings.time_zone, zone);
  }
}

}  // namespace
}  // namespace aifd::config
