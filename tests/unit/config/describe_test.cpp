#include "aifd/config/describe.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include "config_test_support.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

// The template with the # before each NAME=value taken away.
std::string all_in_use() {
  std::string result;
  for (const std::string& line : lines_of(env_template())) {
    const bool example = line.size() > 2 && line[0] == '#' && line[1] != ' ' && mentions(line, "=");
    result += (example ? line.substr(1) : line) + "\n";
  }
  return result;
}

std::string show_all_but_keys(const Settings& settings) {
  std::string result;
  for (const std::string& line : lines_of(describe(settings))) {
    const std::string assignment = line.substr(0, line.find("  # from "));
    if (!assignment.starts_with("OPENAI_API_KEY") && !assignment.starts_with("FORWARD_KEY")) {
      result += assignment + "\n";
    }
  }
  return result;
}

class Template : public InOwnDirectory {};

TEST_F(Template, LoadsAsItIs) {
  write(".env", env_template());
  const Loaded loaded = load_well(Sources{});
  EXPECT_EQ(lines(loaded.warnings), "");
  EXPECT_EQ(loaded.settings.origins.size(), 1U);
  EXPECT_TRUE(loaded.settings.origins.contains("FORWARD_CONFIG"));
}

TEST_F(Template, LoadsWithEveryExampleInUse) {
  write_tls_files();
  write(".env", all_in_use());
  const Loaded loaded = load_well(Sources{});
  EXPECT_EQ(lines(loaded.warnings), "");
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      EXPECT_EQ(loaded.settings.origins.contains(std::string(variable.name)),
                !variable.example.empty())
          << variable.name;
    }
  }
}

TEST_F(Template, EveryExampleLoadsAlone) {
  const std::set<std::string_view> needs_another{"FORWARD_KEY_CONFIG", "REQUIRE_FORWARD_KEY",
                                                 "ssl_keyfile", "ssl_certfile"};
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      if (variable.example.empty() || needs_another.contains(variable.name)) continue;
      set_well({{std::string(variable.name), std::string(variable.example)}});
    }
  }
}

TEST(EnvTemplate, HasNoLongLinesOfText) {
  for (const std::string& line : lines_of(env_template())) {
    if (line.starts_with("# ")) {
      EXPECT_LE(line.size(), 100U) << line;
    }
  }
}

TEST(EnvTemplate, IsTheRepositorysExample) {
  std::ifstream file(AIFD_SOURCE_DIR "/.env.example");
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), env_template()) << "write it anew with: aifd gen-config";
}

class Describe : public InOwnDirectory {};

TEST_F(Describe, HasALineForEveryVariable) {
  const std::string text = describe(load_well(Sources{}).settings);
  std::size_t count = 0;
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      EXPECT_TRUE(mentions("\n" + text, "\n" + std::string(variable.name) + "=")) << variable.name;
      ++count;
    }
  }
  EXPECT_EQ(lines_of(text).size(), count);
  EXPECT_TRUE(mentions(text, "PORT=8000  # from default\n"));
  EXPECT_TRUE(mentions(text, "PROXY=\"\"  # from default\n"));
  EXPECT_TRUE(mentions(text, "TRUSTED_PROXIES=127.0.0.1/32,::1/128  # from default\n"));
}

TEST_F(Describe, SaysWhereValuesAreFrom) {
  write(".env", "TIMEOUT=0.5\nMAX_BODY_BYTES=1048577\n");
  const std::string text = describe(set_well({{"PORT", "9000"}}).settings);
  EXPECT_TRUE(mentions(text, "TIMEOUT=0.5  # from .env line 1\n"));
  EXPECT_TRUE(mentions(text, "MAX_BODY_BYTES=1048577  # from .env line 2\n"));
  EXPECT_TRUE(mentions(text, "PORT=9000  # from environment\n"));
}

TEST_F(Describe, NeverShowsASecret) {
  const std::string text =
      describe(set_well({{"OPENAI_API_KEY_CONFIG", R"({"sk-secret-0123456789-wxyz":[0]})"},
                         {"FORWARD_KEY_CONFIG", "fk-secret"},
                         {"REQ_RATE_LIMIT_BACKEND", "redis://u:secret@h:1"},
                         {"CACHE_BACKEND", "REDIS"},
                         {"CACHE_ROOT_PATH_OR_URL", "redis://u:secret@h:1/2"},
                         {"PROXY", "http://u:secret@p:1"}})
                   .settings);
  EXPECT_FALSE(mentions(text, "secret")) << text;
  EXPECT_TRUE(mentions(text, R"(OPENAI_API_KEY_CONFIG={"sk-***wxyz":[0]})"));
  EXPECT_TRUE(mentions(text, "REQ_RATE_LIMIT_BACKEND=redis://u:***@h:1  #"));
  EXPECT_TRUE(mentions(text, "CACHE_ROOT_PATH_OR_URL=redis://***@h:1/2  #"));
  EXPECT_TRUE(mentions(text, "PROXY=http://u:***@p:1  #"));
}

TEST_F(Describe, DefaultsCanBeReadAgain) {
  const std::string text = describe(set_well(Values{}).settings);
  write(".env", text);
  EXPECT_EQ(show_all_but_keys(load_well(Sources{}).settings),
            show_all_but_keys(set_well(Values{}).settings));
}

TEST_F(Describe, WhatItShowsCanBeReadAgain) {
  write_tls_files();
  write(".env", all_in_use());
  const Settings first = load_well(Sources{}).settings;
  std::string again;
  for (const std::string& line : lines_of(describe(first))) {
    const bool masked = mentions(line, "***");
    if (!masked) again += line + "\n";
  }
  write("again.env",
        again + "OPENAI_API_KEY_CONFIG=sk\nFORWARD_KEY_CONFIG={\"a\":0,\"b\":1,\"c\":2}\n");
  Sources sources;
  sources.env_file = "again.env";
  const Settings second = load_well(sources).settings;
  EXPECT_EQ(show_all_but_keys(first), show_all_but_keys(second));
}

}  // namespace
}  // namespace aifd::config
