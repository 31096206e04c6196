// The table of everything that can be set. One row a variable serves reading, error texts, the
// template of gen-config, `aifd check` and the search for mistyped names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/config/settings.hpp"

namespace aifd::config {

// What is wrong with one value, in words that follow the variable's name.
using Problems = std::vector<std::string>;

struct Variable {
  std::string_view name;
  std::string_view help;      // for the template: whole lines of at most 98 columns
  std::string_view example;   // a value that loads; empty: the variable is left out of the template
  std::string_view accepted;  // ends every error line
  // Reads a value that is trimmed and, but for reads_empty, not empty. What it cannot use it
  // reports and leaves alone.
  void (*read)(std::string_view text, Settings& settings, Problems& problems);
  std::string (*show)(const Settings& settings);  // the effective value, secrets masked
  bool may_be_in_file = false;                    // NAME_FILE may name a file that holds the value
  bool reads_empty = false;  // an empty value is not the default, but a value of its own
};

struct Section {
  std::string_view title;
  std::span<const Variable> variables;
};

inline constexpr std::string_view kFileSuffix = "_FILE";

std::span<const Section> sections();
const Variable* find_variable(std::string_view name);

// The rows, by topic.
std::span<const Variable> server_variables();
std::span<const Variable> route_variables();
std::span<const Variable> key_variables();
std::span<const Variable> limit_variables();
std::span<const Variable> cache_variables();
std::span<const Variable> log_variables();
std::span<const Variable> access_variables();
std::span<const Variable> network_variables();

}  // namespace aifd::config
