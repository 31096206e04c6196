#include "aifd/config/banner.hpp"

#include <sstream>

#include "config_test_support.hpp"
#include "text_box.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kAddress = "http://0.0.0.0:8000";

std::string without_colours(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b')
      i = text.find('m', i);
    else
      result += text[i];
  }
  return result;
}

class Banner : public InOwnDirectory {
 protected:
  static Settings rich_settings() {
    return set_well({{"FORWARD_CONFIG",
                      R"([{"base_url":"https://api.openai.com","route":"/","type":"openai"},
                                       {"base_url":"https://g.example","route":"/gemini","type":"general"}])"},
                     {"OPENAI_API_KEY_CONFIG", "sk-0123456789-secret-abcd"},
                     {"FORWARD_KEY_CONFIG", R"(["fk-1","fk-2","fk-3","fk-4"])"},
                     {"CACHE_OPENAI", "true"},
                     {"CACHE_BACKEND", "LMDB"},
                     {"LOG_OPENAI", "true"},
                     {"PROXY", "http://u:secret@p:1"},
                     {"REQ_RATE_LIMIT",
                      R"({"/v1":[{"level":0,"limit":"1/minute"},{"level":1,"limit":"inf"}]})"},
                     {"REQ_RATE_LIMIT_BACKEND", "redis://u:secret@h"},
                     {"TOKEN_RATE_LIMIT", R"({"/v1":"20/second"})"}})
        .settings;
  }
};

TEST_F(Banner, IsPlainWithoutColour) {
  EXPECT_EQ(banner(rich_settings(), "1.2.3", kAddress, false),
            "aifd v1.2.3 is ready to serve at http://0.0.0.0:8000\n"
            "base url: https://g.example\n"
            "route prefix: /gemini\n"
            "type: general\n"
            "base url: https://api.openai.com\n"
            "route prefix: /\n"
            "type: openai\n"
            "api keys: 1 (sk-***abcd)\n"
            "forward keys: 4 (***, ***, ***, ...)\n"
            "cache: LMDB in ./FLAXKV_DB, for requests that ask for it\n"
            "log: Log\n"
            "proxy: http://u:***@p:1\n"
            "Rate limits\n"
            "backend: redis://u:***@h:6379\n"
            "strategy: fixed-window\n"
            "global rate limit: inf (req)\n"
            "/v1: level 0: 1/minute, level 1: inf (req)\n"
            "/v1: 20/second (token)\n");
}

TEST_F(Banner, DrawsBoxesOfEvenWidth) {
  std::istringstream lines(without_colours(banner(rich_settings(), "1.2.3", kAddress, true)));
  std::size_t width = 0;
  std::size_t boxes = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("╭")) {
      width = display_width(line);
      ++boxes;
    }
    EXPECT_EQ(display_width(line), width) << line;
    EXPECT_LE(width, 100U);
  }
  EXPECT_EQ(boxes, 2U);
}

TEST_F(Banner, LeavesOutLimitsWhenThereAreNone) {
  const std::string text = banner(set_well(Values{}).settings, "1", kAddress, false);
  EXPECT_FALSE(mentions(text, "Rate limits"));
  EXPECT_FALSE(mentions(text, "keys"));
}

TEST_F(Banner, SaysWhoMayCallAndForWhichModels) {
  const Settings settings = set_well({{"OPENAI_API_KEY_CONFIG", "sk-0123456789-secret-abcd"},
                                      {"FORWARD_KEY_CONFIG", R"({"fk-1":1})"},
                                      {"REQUIRE_FORWARD_KEY", "true"},
                                      {"LEVEL_MODELS", R"({"1":["gpt-4","gpt-3.5*"]})"},
                                      {"IP_WHITELIST", "10.0.0.0/8,::1"},
                                      {"IP_BLACKLIST", "10.0.0.9"},
                                      {"ITER_CHUNK_TYPE", "one-by-one"}})
                                .settings;
  const std::string text = banner(settings, "1.2.3", kAddress, false);
  for (const char* line : {"only with a forward key", "10.0.0.0/8, ::1", "10.0.0.9",
                           "models of level 1", "gpt-4, gpt-3.5*", "one-by-one"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST_F(Banner, SaysHowLongAndForWhomAnswersAreKept) {
  Values values{{"CACHE_OPENAI", "true"}, {"CACHE_TTL", "3600"}};
  EXPECT_TRUE(mentions(banner(set_well(values).settings, "1", kAddress, false),
                       "\ncache: MEMORY, 3600 s, for requests that ask for it\n"));
  values["DEFAULT_REQUEST_CACHING_VALUE"] = "true";
  EXPECT_TRUE(mentions(banner(set_well(values).settings, "1", kAddress, false),
                       "\ncache: MEMORY, 3600 s, for every request\n"));
}

TEST_F(Banner, SaysThatConnectionsBeginWithAProxyHeader) {
  Values values;
  EXPECT_FALSE(mentions(banner(set_well(values).settings, "1", kAddress, false), "proxy protocol"));
  values["PROXY_PROTOCOL"] = "true";
  EXPECT_TRUE(mentions(banner(set_well(values).settings, "1", kAddress, false),
                       "\nproxy protocol: required of every connection\n"));
}

TEST_F(Banner, WarnsOfApiKeysThatNobodyGets) {
  const Settings settings = set_well({{"OPENAI_API_KEY_CONFIG", "sk"}}).settings;
  EXPECT_TRUE(mentions(banner(settings, "1", kAddress, false), "forward keys: none"));
  EXPECT_TRUE(mentions(banner(settings, "1", kAddress, true), "\x1b[38;2;255;85;85mforward keys"));
}

TEST_F(Banner, CutsLongValuesAndReplacesControlCharacters) {
  Settings settings = set_well({{"LOG_OPENAI", "true"}}).settings;
  settings.logs.folder = "\x1b[31m" + std::string(300, 'x');
  for (const bool colour : {false, true}) {
    const std::string text = banner(settings, "1", kAddress, colour);
    EXPECT_FALSE(mentions(text, "\x1b[31m"));
    EXPECT_TRUE(mentions(text, "?[31mxx"));
    std::istringstream lines(without_colours(text));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), 100U) << line;
  }
}

TEST(DisplayWidth, CountsWideCharactersTwice) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("\xc3\xa4"), 1U);
  EXPECT_EQ(display_width("日志"), 4U);
  EXPECT_EQ(display_width("│─╮"), 3U);
}

}  // namespace
}  // namespace aifd::config
