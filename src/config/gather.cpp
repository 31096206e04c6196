#include "gather.hpp"

#include <utility>

#include "aifd/config/dotenv.hpp"
#include "names.hpp"
#include "text.hpp"
#include "text_file.hpp"
#include "variables.hpp"
#include "yaml_reader.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kDefaultConfigFile = "openai-forward-config.yaml";

bool is_given(const GivenValues& values, std::string_view name) {
  const auto found = values.find(std::string(name));
  return found != values.end() && !trim(found->second.value).empty();
}

void add_prefixed(std::string_view prefix, const std::vector<std::string>& lines, Report& report) {
  for (const std::string& line : lines) report.errors.push_back(std::string(prefix).append(line));
}

std::string at(const std::string& path, const YamlValue& value) {
  return path + ":" + std::to_string(value.line) + ":" + std::to_string(value.column);
}

GivenValues from_config_file(const Sources& sources, Report& report) {
  const std::string path(sources.config_file.empty() ? kDefaultConfigFile : sources.config_file);
  if (sources.config_file.empty() && !file_exists(path)) return {};
  const Result<std::string> text = read_text_file(path);
  if (!text) {
    report.errors.push_back(path + ": the config file " + text.error().detail);
    return {};
  }
  YamlFile file = parse_yaml(*text);
  add_prefixed(path + ":", file.errors, report);
  GivenValues values;
  for (auto& [name, value] : file.values) {
    values[name] = {std::move(value.text), at(path, value)};
  }
  return values;
}

void warn_about_unknown_name(const DotenvEntry& entry, const std::string& source, Report& report) {
  const std::string named = entry.name + " (" + source + ")";
  const bool has_value = entry.value && !trim(*entry.value).empty();
  for (const Retired& retired : retired_names()) {
    if (retired.name != entry.name || !has_value) continue;
    report.warnings.push_back(named);
    report.warnings.back().append(" is no longer read; use ").append(retired.instead);
  }
  const std::string near = nearest_name(entry.name);
  if (!near.empty()) {
    report.warnings.push_back(named + " is unknown; did you mean " + near + "?");
  }
}

void add_dotenv_entry(DotenvEntry entry, const std::string& path, GivenValues& values,
                      Report& report) {
  const std::string source = path + " line " + std::to_string(entry.line);
  if (!is_accepted_name(entry.name)) return warn_about_unknown_name(entry, source, report);
  if (!entry.value) {
    report.warnings.push_back(entry.name + " (" + source + ") has no equals sign; it is not set");
    return;
  }
  if (const auto before = values.find(entry.name); before != values.end()) {
    report.warnings.push_back(entry.name + " (" + source + ") is set twice; this one counts, not " +
                              before->second.source);
  }
  values[entry.name] = {std::move(*entry.value), source};
}

GivenValues from_env_file(const Sources& sources, Report& report) {
  const std::string& path = sources.env_file;
  if (!sources.env_file_required && !file_exists(path)) return {};
  const Result<std::string> text = read_text_file(path);
  if (!text) {
    report.errors.push_back(path + ": the env file " + text.error().detail);
    return {};
  }
  DotenvFile file = parse_dotenv(*text, sources.environment);
  add_prefixed(path + " ", file.errors, report);
  GivenValues values;
  for (DotenvEntry& entry : file.entries) {
    add_dotenv_entry(std::move(entry), path, values, report);
  }
  return values;
}

GivenValues from_environment(const Sources& sources) {
  GivenValues values;
  for (const auto& [name, value] : sources.environment) {
    if (is_accepted_name(name)) values[name] = {value, "environment"};
  }
  return values;
}

GivenValues from_flags(const Sources& sources) {
  GivenValues values;
  for (const auto& [name, value] : sources.flags) {
    const auto flag = sources.flag_names.find(name);
    values[name] = {value, flag == sources.flag_names.end() ? "command line" : flag->second};
  }
  return values;
}

// Replaces NAME_FILE by NAME with the file's content.
void read_value_file(const std::string& name, GivenValues& values, Report& report) {
  const std::string file_name = name + std::string(kFileSuffix);
  if (!is_given(values, file_name)) return;
  const Given& file = values[file_name];
  const std::string path(trim(file.value));
  const Result<std::string> text = read_text_file(path);
  if (is_given(values, name)) {
    report.errors.push_back(
        error_line(file_name, file.source, name + " is set in the same place", "one of the two"));
  } else if (!text) {
    report.errors.push_back(error_line(file_name, file.source,
                                       "the file " + in_quotes(path) + " " + text.error().detail,
                                       "the path of a file with the value of " + name));
  } else {
    values[name] = {*text, file.source + ", " + file_name};
  }
}

void read_value_files(GivenValues& values, Report& report) {
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      if (variable.may_be_in_file) read_value_file(std::string(variable.name), values, report);
    }
  }
}

void resolve_alias(const Alias& alias, GivenValues& values, Report& report) {
  if (!is_given(values, alias.alias)) return;
  const std::string name(alias.name);
  Given given = values[std::string(alias.alias)];
  const std::string old = std::string(alias.alias) + " (" + given.source + ")";
  if (is_given(values, name)) {
    if (alias.outdated) {
      report.warnings.push_back(old + " is not read, since " + name + " is set");
    }
    return;
  }
  if (alias.outdated) report.warnings.push_back(old + " is an old name; call it " + name);
  given.source += ", " + std::string(alias.alias);
  values[name] = std::move(given);
}

}  // namespace

std::string error_line(std::string_view name, std::string_view source, std::string_view what,
                       std::string_view accepted) {
  std::string line(name);
  line.append(" (").append(source).append("): ").append(what);
  return line.append(". Accepted: ").append(accepted);
}

GivenValues gather(const Sources& sources, Report& report) {
  GivenValues all;
  for (GivenValues values : {from_config_file(sources, report), from_env_file(sources, report),
                             from_environment(sources), from_flags(sources)}) {
    read_value_files(values, report);
    for (auto& [name, given] : values) all[name] = std::move(given);
  }
  for (const Alias& alias : aliases()) resolve_alias(alias, all, report);
  return all;
}

}  // namespace aifd::config
