#include "aifd/app/pending_features.hpp"

#include <gtest/gtest.h>

namespace aifd::app {
namespace {

TEST(PendingFeatures, AreNoneByDefault) {
  EXPECT_TRUE(pending_features({}).empty());
}

TEST(PendingFeatures, AreNamedAsThePersonSetThem) {
  config::Settings settings;
  settings.log_openai = true;
  settings.cache.backend = config::CacheBackend::redis;
  EXPECT_EQ(pending_features(settings), std::vector<std::string>{"LOG_OPENAI"});
  settings.cache.openai = true;
  settings.print_chat = true;
  settings.listen.web_ui = true;
  EXPECT_EQ(
      pending_features(settings),
      (std::vector<std::string>{"CACHE_BACKEND=REDIS", "LOG_OPENAI", "PRINT_CHAT", "--webui"}));
}

}  // namespace
}  // namespace aifd::app
