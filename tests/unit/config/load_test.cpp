// Where values come from, and which of them wins.
#include "aifd/config/load.hpp"

#include "config_test_support.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kYaml = "openai-forward-config.yaml";

class LoadSources : public InOwnDirectory {
 protected:
  static std::uint16_t port(const Sources& sources) {
    return load_well(sources).settings.listen.port;
  }
};

TEST_F(LoadSources, LaterOnesWin) {
  Sources sources;
  EXPECT_EQ(port(sources), 8000);
  write(std::string(kYaml), "port: 1\n");
  EXPECT_EQ(port(sources), 1);
  write(".env", "PORT=2\n");
  EXPECT_EQ(port(sources), 2);
  sources.environment["PORT"] = "3";
  EXPECT_EQ(port(sources), 3);
  sources.flags["PORT"] = "4";
  EXPECT_EQ(port(sources), 4);
}

TEST_F(LoadSources, AnEmptyValueHidesAnEarlierOne) {
  write(".env", "PORT=2\n");
  EXPECT_EQ(port(environment({{"PORT", ""}})), 8000);
}

TEST_F(LoadSources, OriginsSayWhereAValueIsFrom) {
  write(std::string(kYaml), "log:\n  openai: true\n");
  write(".env", "\nTIMEOUT=2\n");
  Sources sources = environment({{"WORKERS", "2"}});
  sources.flags = {{"PORT", "9000"}, {"HOST", "::"}};
  sources.flag_names = {{"PORT", "--port"}};
  const std::map<std::string, std::string> expected{
      {"LOG_OPENAI", "openai-forward-config.yaml:2:11"},
      {"TIMEOUT", ".env line 2"},
      {"WORKERS", "environment"},
      {"PORT", "--port"},
      {"HOST", "command line"}};
  EXPECT_EQ(load_well(sources).settings.origins, expected);
}

TEST_F(LoadSources, ErrorsSayWhereAValueIsFrom) {
  write("c.yaml", "log:\n  openai: maybe\nunheard: 1\n");
  write("e.env", "\nTIMEOUT=x\nbad line\n");
  Sources sources = environment({{"WORKERS", "x"}});
  sources.config_file = "c.yaml";
  sources.env_file = "e.env";
  sources.flags = {{"PORT", "x"}};
  sources.flag_names = {{"PORT", "--port"}};
  const std::string errors = lines(load_badly(sources));
  EXPECT_TRUE(mentions(errors, "c.yaml:3:1: \"unheard\" is unknown")) << errors;
  EXPECT_TRUE(mentions(errors, "e.env line 3: an equals sign is missing")) << errors;
  EXPECT_TRUE(mentions(errors, "LOG_OPENAI (c.yaml:2:11): \"maybe\"")) << errors;
  EXPECT_TRUE(mentions(errors, "TIMEOUT (e.env line 2): \"x\"")) << errors;
  EXPECT_TRUE(mentions(errors, "WORKERS (environment): \"x\"")) << errors;
  EXPECT_TRUE(mentions(errors, "PORT (--port): \"x\"")) << errors;
}

TEST_F(LoadSources, FilesThatAreAskedForMustBeThere) {
  Sources sources;
  sources.config_file = "none.yaml";
  sources.env_file = "none.env";
  EXPECT_EQ(load_badly(sources).size(), 1U);
  sources.env_file_required = true;
  const ConfigErrors errors = load_badly(sources);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0], "none.yaml: the config file cannot be read: No such file or directory");
  EXPECT_EQ(errors[1], "none.env: the env file cannot be read: No such file or directory");
}

TEST_F(LoadSources, FilesMustBeSmallText) {
  Sources sources;
  sources.env_file = "e";
  write("e", std::string((1 << 20) + 1, '#'));
  EXPECT_TRUE(mentions(load_badly(sources).front(), "larger than 1 MiB"));
  write("e", std::string_view("P\0O\0", 4));
  EXPECT_TRUE(mentions(load_badly(sources).front(), "not UTF-8 text"));
  std::filesystem::remove("e");
  std::filesystem::create_directory("e");
  EXPECT_TRUE(mentions(load_badly(sources).front(), "is a directory"));
}

TEST_F(LoadSources, ByteOrderMarksAndWindowsLinesAreRead) {
  write(".env", "\xEF\xBB\xBFPORT=1\r\nWORKERS=2\r\n");
  write(std::string(kYaml), "\xEF\xBB\xBFtimeout: 3\r\n");
  const Settings settings = load_well(Sources{}).settings;
  EXPECT_EQ(settings.listen.port, 1);
  EXPECT_EQ(settings.listen.workers, 2U);
  EXPECT_EQ(settings.timeouts.connect.count(), 3000);
}

TEST_F(LoadSources, EnvFilesReferToTheEnvironment) {
  write(".env",
        "PORT=${MY_PORT:-1}\nWORKERS=${N}\nFORWARD_CONFIG=[{\"base_url\":\"${URL}\",\"route\":\"/"
        "\"}]");
  const Settings settings = load_well(environment({{"N", "3"}, {"URL", "http://up:1"}})).settings;
  EXPECT_EQ(settings.listen.port, 1);
  EXPECT_EQ(settings.listen.workers, 3U);
  EXPECT_EQ(settings.routes.front().base_url.to_string(), "http://up:1");
}

TEST_F(LoadSources, SecretsMayBeInFiles) {
  write("keys", "{\"sk-1\": [0]}\n");
  write("fk", "fk-1\n");
  write("redis", "redis://h\n");
  write("proxy", "http://p:1\n");
  write(".env", "OPENAI_API_KEY_CONFIG_FILE=keys\n");
  const Settings settings = load_well(environment({{"FORWARD_KEY_CONFIG_FILE", "fk"},
                                                   {"REQ_RATE_LIMIT_BACKEND_FILE", "redis"},
                                                   {"PROXY_FILE", "proxy"}}))
                                .settings;
  EXPECT_EQ(settings.api_keys.at(0).key.reveal(), "sk-1");
  EXPECT_EQ(settings.forward_keys.at(0).key.reveal(), "fk-1");
  EXPECT_EQ(settings.limits.backend_url.reveal(), "redis://h");
  EXPECT_EQ(settings.proxy->host, "p");
  EXPECT_EQ(settings.origins.at("PROXY"), "environment, PROXY_FILE");
  EXPECT_EQ(settings.origins.at("OPENAI_API_KEY_CONFIG"),
            ".env line 1, OPENAI_API_KEY_CONFIG_FILE");
}

TEST_F(LoadSources, AFileAndAValueInOnePlaceAreAnError) {
  write("proxy", "http://p:1");
  EXPECT_TRUE(mentions(set_badly({{"PROXY_FILE", "proxy"}, {"PROXY", "http://q:1"}}).front(),
                       "PROXY_FILE (environment): PROXY is set in the same place"));
  write(".env", "PROXY=http://q:1\n");
  EXPECT_EQ(set_well({{"PROXY_FILE", "proxy"}}).settings.proxy->host, "p");
  EXPECT_TRUE(mentions(set_badly({{"PROXY_FILE", "none"}}).front(),
                       "PROXY_FILE (environment): the file \"none\" cannot be read"));
}

TEST_F(LoadSources, OldNamesAreReadWithANote) {
  write(".env", "OPENAI_API_KEY=sk-1,sk-2\nFORWARD_KEY=fk-1\nLOG_CHAT=true\n");
  const Loaded loaded = load_well(Sources{});
  EXPECT_EQ(loaded.settings.api_keys.size(), 2U);
  EXPECT_EQ(loaded.settings.forward_keys.size(), 1U);
  EXPECT_TRUE(loaded.settings.logs.openai);
  EXPECT_EQ(lines(loaded.warnings),
            "OPENAI_API_KEY (.env line 1) is an old name; call it OPENAI_API_KEY_CONFIG\n"
            "FORWARD_KEY (.env line 2) is an old name; call it FORWARD_KEY_CONFIG\n"
            "LOG_CHAT (.env line 3) is an old name; call it LOG_OPENAI\n");
}

TEST_F(LoadSources, AnOldNameNeverHidesTheNewOne) {
  write(".env", "OPENAI_API_KEY_CONFIG=sk-new\nFORWARD_KEY_CONFIG=fk\n");
  const Loaded loaded = load_well(environment({{"OPENAI_API_KEY", "sk-of-a-developer"}}));
  EXPECT_EQ(loaded.settings.api_keys.at(0).key.reveal(), "sk-new");
  EXPECT_EQ(lines(loaded.warnings),
            "OPENAI_API_KEY (environment) is not read, since OPENAI_API_KEY_CONFIG is set\n");
}

TEST_F(LoadSources, MistypedNamesAreNoted) {
  write(".env",
        "PROT=1\nport=2\nFOWARD_CONFG=[]\nTIMEOUTS=3\nTZZ=UTC\nNOTHING_LIKE_IT=1\n"
        "OPENAI_BASE_URL=http://x\nWORKERS\nTIMEOUT=1\nTIMEOUT=2\n");
  const Loaded loaded = load_well(Sources{});
  EXPECT_EQ(lines(loaded.warnings),
            "PROT (.env line 1) is unknown; did you mean PORT?\n"
            "port (.env line 2) is unknown; did you mean PORT?\n"
            "FOWARD_CONFG (.env line 3) is unknown; did you mean FORWARD_CONFIG?\n"
            "TIMEOUTS (.env line 4) is unknown; did you mean TIMEOUT?\n"
            "OPENAI_BASE_URL (.env line 7) is no longer read; use FORWARD_CONFIG\n"
            "WORKERS (.env line 8) has no equals sign; it is not set\n"
            "TIMEOUT (.env line 10) is set twice; this one counts, not .env line 9\n");
  EXPECT_EQ(loaded.settings.timeouts.connect.count(), 2000);
}

class LoadOriginals : public InOwnDirectory {};

TEST_F(LoadOriginals, TheExampleOfTheYamlLoads) {
  write(std::string(kYaml), R"(
log: {general: true, openai: true}
api_key:
  level:
    1: ["gpt-4"]
    2: ["gpt-3.5-turbo"]
  openai_key:
    "sk-xxx1": [0]
    "sk-xxx2": [1]
    "sk-xxx3": [1, 2]
  forward_key:
    0: ["fk-0"]
    1: ["fk-1", "fk-11"]
    2: ["fk-2"]
rate_limit:
  strategy: "moving-window"
  req_rate_limit:
    - route: "/v1/chat/completions"
      value:
      - level: 0
        limit: "100/2minutes"
  token_rate_limit:
    - route: "/benchmark/v1/chat/completions"
      value:
      - level: 0
        limit: "20/second"
ip_blacklist:
proxy:
)");
  const Settings settings = load_well(Sources{}).settings;
  EXPECT_EQ(settings.forward_keys.size(), 4U);
  EXPECT_EQ(settings.api_keys.size(), 3U);
  EXPECT_EQ(settings.level_models.at(2), std::vector<std::string>{"gpt-3.5-turbo"});
  EXPECT_EQ(to_string(settings.limits.requests.at("/v1/chat/completions").at(0).limits),
            "100/2minutes");
  EXPECT_EQ(settings.limits.tokens.at("/benchmark/v1/chat/completions").at(0).level, 0);
  EXPECT_FALSE(settings.proxy);
}

TEST_F(LoadOriginals, AnEnvWithQuotedJsonOverSeveralLinesLoads) {
  write(".env", R"(# comment
LOG_GENERAL=true
CACHE_ROUTES=["/v1/chat/completions","/v1/embeddings"]
FORWARD_CONFIG=[{"base_url":"https://api.openai.com","route":"/","type":"openai"}]
#CUSTOM_MODEL_CONFIG='{
#"backend":"ollama",
#}'
REQ_RATE_LIMIT='{
"/v1/chat/completions":[{"level":0,"limit":"100/2minutes"}],
"/v1/completions":[{"level":0,"limit":"60/minute;600/hour"}]
}'
GLOBAL_RATE_LIMIT=200/minute
REQ_RATE_LIMIT_BACKEND="redis://localhost:6379"
IP_BLACKLIST=
WEBUI_RESTART_PORT=15555
TZ=Asia/Shanghai
)");
  const Loaded loaded = load_well(Sources{});
  EXPECT_EQ(lines(loaded.warnings), "");
  EXPECT_EQ(loaded.settings.limits.requests.size(), 2U);
  EXPECT_EQ(loaded.settings.limits.backend_url.reveal(), "redis://localhost:6379");
}

}  // namespace
}  // namespace aifd::config
