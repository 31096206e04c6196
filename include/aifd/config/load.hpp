// Reads the settings from all their sources, and says everything that is wrong with them at once.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::config {

// What the command line and the process give. Kept apart from reading, so that tests need no
// process.
struct Sources {
  std::map<std::string, std::string> flags;        // variable name -> value given by a flag
  std::map<std::string, std::string> flag_names;   // variable name -> "--port", for messages
  std::map<std::string, std::string> environment;  // the process environment
  std::string config_file;  // --config; empty: openai-forward-config.yaml if there
  std::string env_file = ".env";
  bool env_file_required = false;  // --env-file was given: it must exist
};

struct Loaded {
  Settings settings;
  std::vector<std::string> warnings;  // one line each: near spellings, old names
};

// Each entry is one line: variable, source, what was wrong, what is accepted. Never a secret's
// value.
using ConfigErrors = std::vector<std::string>;

// Later wins: defaults, config file, .env, environment, flags.
std::variant<Loaded, ConfigErrors> load(const Sources& sources);

}  // namespace aifd::config
