#include "aifd/app/pending_features.hpp"

#include <gtest/gtest.h>

namespace aifd::app {
namespace {

TEST(PendingFeatures, AreNoneByDefault) {
  EXPECT_TRUE(pending_features({}).empty());
}

TEST(PendingFeatures, AreNamedAsThePersonSetThem) {
  config::Settings settings;
  settings.listen.web_ui = true;
  EXPECT_EQ(pending_features(settings), std::vector<std::string>{"--webui"});
}

}  // namespace
}  // namespace aifd::app
