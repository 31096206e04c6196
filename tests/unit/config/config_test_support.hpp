// A directory of its own for tests that read files, and short ways to load settings.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "aifd/config/load.hpp"

namespace aifd::config {

inline bool mentions(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// One line a part, for messages of failed tests.
inline std::string lines(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += part + "\n";
  return text;
}

// Makes an empty directory the working directory, for one test.
class InOwnDirectory : public testing::Test {
 protected:
  InOwnDirectory() : before_(std::filesystem::current_path()) {
    std::string name = (std::filesystem::temp_directory_path() / "aifd-config-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    std::filesystem::current_path(directory_);
  }
  ~InOwnDirectory() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(directory_);
  }

  static void write(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }

  static void write_tls_files() {
    write("key.pem", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
    write("cert.pem", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
  }

  using Values = std::map<std::string, std::string>;

  static Sources environment(Values values) {
    Sources sources;
    sources.environment = std::move(values);
    return sources;
  }

  // Fails the test and gives the defaults when there are errors.
  static Loaded load_well(const Sources& sources) {
    auto result = load(sources);
    if (const auto* errors = std::get_if<ConfigErrors>(&result)) {
      ADD_FAILURE() << lines(*errors);
      return {};
    }
    return std::get<Loaded>(std::move(result));
  }
  static Loaded set_well(Values values) { return load_well(environment(std::move(values))); }

  // Fails the test when there are none.
  static ConfigErrors load_badly(const Sources& sources) {
    auto result = load(sources);
    if (auto* errors = std::get_if<ConfigErrors>(&result)) return std::move(*errors);
    ADD_FAILURE() << "loaded without an error";
    return {""};
  }
  static ConfigErrors set_badly(Values values) {
    return load_badly(environment(std::move(values)));
  }

 private:
  std::filesystem::path before_;
  std::filesystem::path directory_;
};

}  // namespace aifd::config
