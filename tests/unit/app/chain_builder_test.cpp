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
  EXPECT_EQ(names(settings, true),
            "access_log admission health ip_filter cors benchmark route forward_key model_map ");
}

TEST(ChainBuilder, LeavesOutWhatIsNotConfigured) {
  EXPECT_EQ(names({}, false), "admission health ip_filter cors route forward_key ");
}

}  // namespace
}  // namespace aifd::app
