#include "cache_rules.hpp"

#include <gtest/gtest.h>

#include "support/test_exchange.hpp"

namespace aifd::middleware {
namespace {

using test::TestExchange;

config::Settings settings_with(std::vector<std::string> routes) {
  config::Settings settings;
  settings.routes = {{{}, "/api", config::RouteType::general},
                     {{}, "/gemini", config::RouteType::openai},
                     {{}, "/", config::RouteType::openai}};
  settings.cache.openai = true;
  settings.cache.general = true;
  settings.cache.routes = std::move(routes);
  return settings;
}

std::optional<CachePlace> place_of(const config::Settings& settings, const std::string& lines) {
  TestExchange exchange(lines, "{}");
  const std::string& path = exchange->target.path;
  const std::size_t length = path.starts_with("/gemini") ? 7 : path.starts_with("/api") ? 4 : 0;
  exchange->route = {length == 0 ? "/" : std::string_view(path).substr(0, length),
                     std::string_view(path).substr(length), !path.starts_with("/api")};
  return CacheRules(settings).find(*exchange);
}

bool keeps(const config::Settings& settings, const std::string& lines) {
  const auto place = place_of(settings, lines);
  return place && place->keeps;
}

TEST(CacheRules, KeepsWhatModelsAnswerOnOpenaiRoutes) {
  const config::Settings settings = settings_with({});
  for (const char* path : {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                           "/v1/responses", "/gemini/v1/chat/completions"}) {
    EXPECT_TRUE(keeps(settings, std::string("POST ") + path)) << path;
  }
  for (const char* line : {"POST /v1/moderations", "GET /v1/responses", "POST /v1/images/edits",
                           "POST /api/v1/chat/completions"}) {
    EXPECT_FALSE(keeps(settings, line)) << line;
  }
}

TEST(CacheRules, TakesTheFieldOutOfEveryJsonBody) {
  const auto place = place_of(settings_with({}), "POST /v1/moderations");
  ASSERT_TRUE(place);
  EXPECT_FALSE(place->keeps);
  EXPECT_FALSE(place_of(settings_with({}), "POST /v1/files\nContent-Type: multipart/form-data"));
  EXPECT_TRUE(place_of(settings_with({}), "POST /v1/files\nContent-Type: Application/JSON; a=b"));
}

TEST(CacheRules, KeepsExactlyTheOpenaiPathsNamed) {
  const config::Settings settings = settings_with({"/v1/moderations", "/api/x"});
  EXPECT_TRUE(keeps(settings, "POST /v1/moderations"));
  EXPECT_FALSE(keeps(settings, "POST /v1/chat/completions"));
  EXPECT_FALSE(keeps(settings, "POST /gemini/v1/moderations"));
}

TEST(CacheRules, KeepsGeneralPathsWhereNamed) {
  const config::Settings settings = settings_with({"/api/x"});
  EXPECT_TRUE(keeps(settings, "GET /api/x"));
  EXPECT_TRUE(keeps(settings, "POST /api/x"));
  EXPECT_FALSE(keeps(settings, "PUT /api/x"));
  EXPECT_FALSE(keeps(settings, "GET /api/y"));
  EXPECT_TRUE(keeps(settings, "POST /v1/chat/completions")) << "no openai path is named";
}

TEST(CacheRules, KeepsTheCustomGeneralPathWhereNoneIsNamed) {
  config::Settings settings = settings_with({});
  settings.custom_general_path = "/v1/models/gemini-pro";
  EXPECT_TRUE(keeps(settings, "POST /api/v1/models/gemini-pro"));
  EXPECT_FALSE(keeps(settings, "POST /api/v1/models/gemini-max"));
  settings.cache.routes = {"/api/x"};
  EXPECT_FALSE(keeps(settings, "POST /api/v1/models/gemini-pro"));
}

TEST(CacheRules, HasNoPartWhereItIsOff) {
  config::Settings settings = settings_with({"/api/x"});
  settings.cache.openai = false;
  EXPECT_FALSE(place_of(settings, "POST /v1/chat/completions"));
  settings.cache.general = false;
  EXPECT_FALSE(place_of(settings, "GET /api/x"));
}

TEST(CacheRules, KnowsWhatConverts) {
  const config::Settings settings = settings_with({});
  EXPECT_TRUE(place_of(settings, "POST /v1/chat/completions")->converts);
  EXPECT_TRUE(place_of(settings, "POST /v1/responses")->converts);
  EXPECT_FALSE(place_of(settings, "POST /v1/embeddings")->converts);
  EXPECT_TRUE(place_of(settings, "POST /v1/embeddings")->embeddings);
  EXPECT_FALSE(place_of(settings, "POST /v1/moderations")->converts);
}

}  // namespace
}  // namespace aifd::middleware
