// What is wrong only when several variables are looked at together.
#include "config_test_support.hpp"

namespace aifd::config {
namespace {

class LoadTogether : public InOwnDirectory {};

TEST_F(LoadTogether, TlsNeedsBothFilesAndBothMustBeGood) {
  write_tls_files();
  write("encrypted.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  const Settings settings =
      set_well({{"ssl_keyfile", "key.pem"}, {"SSL_CERTFILE", "cert.pem"}}).settings;
  EXPECT_EQ(settings.listen.tls_key_file, "key.pem");
  EXPECT_EQ(settings.listen.tls_certificate_file, "cert.pem");
  const auto error = [](const std::string& key, const std::string& certificate) {
    return lines(set_badly({{"ssl_keyfile", key}, {"ssl_certfile", certificate}}));
  };
  EXPECT_TRUE(mentions(error("key.pem", ""), "ssl_keyfile (environment): ssl_certfile is not set"));
  EXPECT_TRUE(
      mentions(error("", "cert.pem"), "ssl_certfile (environment): ssl_keyfile is not set"));
  EXPECT_TRUE(mentions(error("none.pem", "cert.pem"), "\"none.pem\" cannot be read"));
  EXPECT_TRUE(mentions(error("key.pem", "none.pem"), "\"none.pem\" cannot be read"));
  EXPECT_TRUE(mentions(error("cert.pem", "cert.pem"), "has no line with \"PRIVATE KEY-----\""));
  EXPECT_TRUE(mentions(error("key.pem", "key.pem"), "has no line with \"BEGIN CERTIFICATE"));
  EXPECT_TRUE(mentions(error("encrypted.pem", "cert.pem"), "is encrypted"));
}

TEST_F(LoadTogether, ForwardKeysNeedApiKeys) {
  EXPECT_TRUE(mentions(set_badly({{"FORWARD_KEY_CONFIG", "fk"}}).front(),
                       "FORWARD_KEY_CONFIG (environment): there are forward keys, but no API key"));
  EXPECT_TRUE(mentions(set_badly({{"FORWARD_KEY_CONFIG", R"({"fk":0,"fk2":2})"},
                                  {"OPENAI_API_KEY_CONFIG", R"({"sk":[0,1]})"}})
                           .front(),
                       "forward keys of level 2, but no API key for it"));
  EXPECT_TRUE(mentions(lines(set_well({{"OPENAI_API_KEY_CONFIG", "sk"}}).warnings),
                       "no caller gets these keys"));
}

TEST_F(LoadTogether, LevelsNeedModelsOnceThereAreAny) {
  Values values{{"FORWARD_KEY_CONFIG", R"({"a":0,"b":1,"c":2})"}, {"OPENAI_API_KEY_CONFIG", "sk"}};
  EXPECT_EQ(lines(set_well(values).warnings), "");
  values["LEVEL_MODELS"] = R"({"0":["x"],"1":["gpt-4"],"3":["y"]})";
  EXPECT_TRUE(mentions(lines(set_badly(values)), "forward keys of level 2, which has no models"));
  values["LEVEL_MODELS"] = R"({"0":["x"],"1":["gpt-4"],"2":["*"],"3":["y"]})";
  EXPECT_EQ(
      lines(set_well(values).warnings),
      "LEVEL_MODELS (environment): level 0 may use every model; its list here does not count\n"
      "LEVEL_MODELS (environment): no forward key is of level 3\n");
}

TEST_F(LoadTogether, ARequiredForwardKeyMustExist) {
  EXPECT_TRUE(mentions(set_badly({{"REQUIRE_FORWARD_KEY", "true"}}).front(),
                       "every caller would be refused"));
}

TEST_F(LoadTogether, ProxyHeadersNeedSomebodyWhoIsBelieved) {
  Values values{{"PROXY_PROTOCOL", "true"}};
  EXPECT_EQ(lines(set_well(values).warnings), "");
  values["TRUSTED_PROXIES"] = "";
  EXPECT_TRUE(
      mentions(lines(set_well(values).warnings), "PROXY_PROTOCOL (environment): no header"));
  values["PROXY_PROTOCOL"] = "false";
  EXPECT_EQ(lines(set_well(values).warnings), "");
}

TEST_F(LoadTogether, ARedisCacheNeedsARedisUrl) {
  EXPECT_TRUE(mentions(set_badly({{"CACHE_BACKEND", "REDIS"}}).front(),
                       "CACHE_ROOT_PATH_OR_URL (default): does not begin with a scheme"));
  EXPECT_EQ(set_well({{"CACHE_BACKEND", "REDIS"}, {"CACHE_ROOT_PATH_OR_URL", "redis://h"}})
                .settings.cache.backend,
            CacheBackend::redis);
}

TEST_F(LoadTogether, AnAnswerMustFitIntoTheCache) {
  EXPECT_TRUE(mentions(
      set_badly({{"CACHE_MAX_BYTES", "2MiB"}, {"CACHE_MAX_ENTRY_BYTES", "3MiB"}}).front(),
      "CACHE_MAX_ENTRY_BYTES (environment): is more than all answers may take (2MiB). Accepted: at "
      "most CACHE_MAX_BYTES"));
  set_well({{"CACHE_MAX_BYTES", "2MiB"}, {"CACHE_MAX_ENTRY_BYTES", "2MiB"}});
  set_well({{"CACHE_MAX_BYTES", "2MiB"}});
  set_well({{"CACHE_BACKEND", "LMDB"}, {"CACHE_MAX_ENTRY_BYTES", "1GiB"}});
}

TEST_F(LoadTogether, ACachesBoundDependsOnWhereItIs) {
  EXPECT_EQ(set_well({}).settings.cache.byte_limit(), 256ULL << 20);
  EXPECT_EQ(set_well({{"CACHE_BACKEND", "LevelDB"}}).settings.cache.byte_limit(), 16ULL << 30);
  EXPECT_EQ(lines(set_well({{"CACHE_BACKEND", "REDIS"},
                            {"CACHE_ROOT_PATH_OR_URL", "redis://h"},
                            {"CACHE_MAX_BYTES", "1GiB"},
                            {"CACHE_MAX_ENTRY_BYTES", "2GiB"}})
                      .warnings),
            "CACHE_MAX_BYTES (environment): does nothing to a Redis server, which has its own "
            "maxmemory\n");
}

TEST_F(LoadTogether, AGeneralCacheNeedsItsPathsNamed) {
  Values values{{"CACHE_GENERAL", "true"}};
  EXPECT_EQ(lines(set_well(values).warnings),
            "CACHE_GENERAL (environment): no answer of a general route is kept, since neither "
            "CACHE_ROUTES nor CUSTOM_GENERAL_ROUTE names a path\n");
  EXPECT_EQ(lines(set_well({{"CACHE_GENERAL", "true"}, {"CUSTOM_GENERAL_ROUTE", "/x"}}).warnings),
            "");
  values["CACHE_ROUTES"] = R"(["/v1/embed"])";
  EXPECT_EQ(lines(set_well(values).warnings), "");
  EXPECT_EQ(lines(set_well({{"CACHE_OPENAI", "true"}}).warnings), "");
}

TEST_F(LoadTogether, PatternsAndPoliciesHaveShortForms) {
  EXPECT_EQ(set_well({{"LOG_REDACT", "[0-9]{4}"}}).settings.logs.redact,
            std::vector<std::string>{"[0-9]{4}"});
  const Settings settings =
      set_well({{"CLIENT_GONE", R"({"/v1/": "Drain: 250ms", "/": "cancel"})"}}).settings;
  EXPECT_EQ(settings.client_gone.at("/v1"),
            (ClientGone{true, std::chrono::milliseconds(250), ClientGone{}.most_bytes}));
  EXPECT_FALSE(settings.client_gone.at("/").drains);
  EXPECT_EQ(set_well({{"CLIENT_GONE", "\"drain\""}}).settings.client_gone.at("/"),
            ClientGone{.drains = true});
}

TEST_F(LoadTogether, APacedReplayNeedsAPace) {
  Values values{{"CACHE_REPLAY", "paced"}};
  EXPECT_TRUE(mentions(lines(set_well(values).warnings), "since TOKEN_RATE_LIMIT is empty"));
  values["TOKEN_RATE_LIMIT"] = R"({"/":"20/second"})";
  EXPECT_EQ(lines(set_well(values).warnings), "");
}

TEST_F(LoadTogether, PortsMustDiffer) {
  EXPECT_TRUE(
      mentions(set_badly({{"PORT", "8001"}, {"WEBUI", "true"}}).front(), "the same as PORT"));
  EXPECT_EQ(set_well({{"PORT", "8001"}}).settings.listen.port, 8001);
  EXPECT_TRUE(
      set_well({{"PORT", "0"}, {"WEBUI_PORT", "0"}, {"WEBUI", "1"}}).settings.listen.web_ui);
}

TEST_F(LoadTogether, WhatCouldNotBeReadIsNotCheckedAgain) {
  EXPECT_EQ(set_badly({{"FORWARD_KEY_CONFIG", "{"}, {"REQUIRE_FORWARD_KEY", "true"}}).size(), 1U);
}

}  // namespace
}  // namespace aifd::config
