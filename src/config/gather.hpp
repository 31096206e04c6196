// Collects values from every source, before any of them is understood.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/config/load.hpp"

namespace aifd::config {

struct Given {
  std::string value;
  std::string source;  // "environment", ".env line 12", "--port", "openai-forward-config.yaml:3:1"
};
using GivenValues = std::map<std::string, Given>;  // by variable name

// "NAME (source): what is wrong. Accepted: what is".
std::string error_line(std::string_view name, std::string_view source, std::string_view what,
                       std::string_view accepted);

struct Report {
  ConfigErrors errors;
  std::vector<std::string> warnings;
};

// One value a variable: of the last source that gives it. NAME_FILE and old names are resolved.
GivenValues gather(const Sources& sources, Report& report);

}  // namespace aifd::config
