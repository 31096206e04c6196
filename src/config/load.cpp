#include "aifd/config/load.hpp"

#include <algorithm>
#include <exception>
#include <set>

#include "checks.hpp"
#include "gather.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

Settings default_settings() {
  Settings settings;
  settings.routes = {{{true, "api.openai.com", 443, ""}, "/", RouteType::openai}};
  settings.trusted_proxies = CidrSet({*parse_cidr("127.0.0.1"), *parse_cidr("::1")});
  return settings;
}

// Returns whether the value could be used.
bool read_variable(const Variable& variable, const Given& given, Settings& settings,
                   Report& report) {
  const std::string_view text = trim(given.value);
  if (text.empty() && !variable.reads_empty) return true;
  const std::string name(variable.name);
  settings.origins[name] = given.source;
  Problems problems;
  variable.read(text, settings, problems);
  for (const std::string& problem : problems) {
    report.errors.push_back(error_line(name, given.source, problem, variable.accepted));
  }
  return problems.empty();
}

void replace_control_characters(std::vector<std::string>& lines) {
  for (std::string& line : lines) {
    std::replace_if(line.begin(), line.end(), is_control, '?');
  }
}

std::variant<Loaded, ConfigErrors> load_all(const Sources& sources) {
  Report report;
  const GivenValues values = gather(sources, report);
  Settings settings = default_settings();
  std::set<std::string_view> failed;
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      const auto given = values.find(std::string(variable.name));
      if (given == values.end()) continue;
      if (!read_variable(variable, given->second, settings, report)) failed.insert(variable.name);
    }
  }
  check_together(settings, failed, report);
  replace_control_characters(report.errors);
  replace_control_characters(report.warnings);
  if (!report.errors.empty()) return std::move(report.errors);
  return Loaded{std::move(settings), std::move(report.warnings)};
}

}  // namespace

std::variant<Loaded, ConfigErrors> load(const Sources& sources) {
  try {
    return load_all(sources);
  } catch (const std::exception& error) {
    return ConfigErrors{std::string("the configuration could not be read: ") + error.what()};
  }
}

}  // namespace aifd::config
