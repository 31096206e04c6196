#include "aifd/config/describe.hpp"

#include <algorithm>

#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kInUse = "FORWARD_CONFIG";

constexpr std::string_view kIntroduction =
    "# The settings of aifd. Take away the # before a name to set it; the values that stand there\n"
    "# are examples. What is set nowhere has a default, and an empty value means the default, "
    "too.\n"
    "#\n"
    "# Later wins: openai-forward-config.yaml, this file, the environment, the command line.\n"
    "# \"aifd check\" shows what is in effect, and everything that is wrong.\n"
    "#\n"
    "# Secrets can be kept in files: for OPENAI_API_KEY_CONFIG, FORWARD_KEY_CONFIG,\n"
    "# REQ_RATE_LIMIT_BACKEND and PROXY, NAME_FILE=/path/to/file has the value read from there.\n";

std::string comment(std::string_view text) {
  std::string result = "# ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "# ";
  }
  return result + "\n";
}

std::string template_of(const Variable& variable) {
  const std::string assignment =
      std::string(variable.name) + "=" + std::string(variable.example) + "\n";
  return "\n" + comment(variable.help) + (variable.name == kInUse ? "" : "#") + assignment;
}

// A value that is not set is "", since a comment right after the equals sign would be the value.
std::string line_of(const Variable& variable, const Settings& settings) {
  const std::string name(variable.name);
  const std::string value = variable.show(settings);
  const auto origin = settings.origins.find(name);
  const std::string source = origin == settings.origins.end() ? "default" : origin->second;
  std::string line = name + "=" + (value.empty() ? "\"\"" : value) + "  # from " + source;
  std::replace_if(line.begin(), line.end(), is_control, '?');
  return line + "\n";
}

}  // namespace

std::string describe(const Settings& settings) {
  std::string text;
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      text += line_of(variable, settings);
    }
  }
  return text;
}

std::string env_template() {
  std::string text(kIntroduction);
  for (const Section& section : sections()) {
    text += "\n\n# ---- " + std::string(section.title) + " ----\n";
    for (const Variable& variable : section.variables) {
      if (!variable.example.empty()) text += template_of(variable);
    }
  }
  return text;
}

}  // namespace aifd::config
