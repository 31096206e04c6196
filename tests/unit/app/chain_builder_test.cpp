#include "aifd/app/chain_builder.hpp"

#include <gtest/gtest.h>

namespace aifd::app {
namespace {

std::string names(const config::Settings& settings, bool with_access_log) {
  Services services(settings, with_access_log
                                  ? std::move(services::LineWriter::open("/dev/null")).value()
                                  : nullptr);
  std::string text;
  const chain::Chain chain = build_chain(settings, services);
  for (const auto& link : chain.links()) text.append(link->name()).append(" ");
  return text;
}

TEST(ChainBuilder, PutsTheLinksInTheirOrder) {
  config::Settings settings;
  settings.benchmark_mode = true;
  settings.model_map.models["gpt-4"] = "qwen2:7b";
  settings.level_models[1] = {"gpt-4"};
  const config::RateLimits limits{{10, std::chrono::seconds(1)}};
  settings.limits.global = limits;
  settings.limits.token_quota["/"] = {{std::nullopt, limits}};
  settings.limits.tokens["/"] = {{std::nullopt, limits}};
  EXPECT_EQ(
      names(settings, true),
      "access_log admission health ip_filter cors route forward_key model_access request_limit "
      "token_quota token_pace benchmark model_map ");
}

TEST(ChainBuilder, LeavesOutWhatIsNotConfigured) {
  EXPECT_EQ(names({}, false), "admission health ip_filter cors route forward_key ");
}

}  // namespace
}  // namespace aifd::app
