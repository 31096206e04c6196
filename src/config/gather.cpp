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

GivenValues from_config_file(const Sources& sources, Report& report) {
  const std::string path(sources.config_file.empty() ? kDefaultConfigFile : sources.config_file);
  if (sources.config_file.empty() && !file_exists(path)) return {};
  const Result<std::string> text = read_text_file(path);
  if (!text) {
    report.errors.push_back(path + ": the config file " + text.error().detail);
    return {};
  }
  YamlFile file = parse_yaml(*text);
  for (const std::string& error : file.errors) report.errors.push_back(path + ":" + error);
  GivenValues values;
  for (auto& [name, value] : file.values) {
    const std::string position = std::to_string(value.line) + ":" + std::to_string(value.column);
    values[name] = {std::move(value.text), path + ":" + position};
  }
  return values;
}

void warn_about_unknown_name(const DotenvEntry& entry, const std::string& source, Report& report) {
  for (const Retired& retired : retired_names()) {
    if (retired.name != entry.name || !entry.value || trim(*entry.value).empty()) continue;
    report.warnings.push_back(entry.name + " (" + source + ") is no longer read; use " +
                              std::string(retired.instead));
  }
  const std::string near = nearest_name(entry.name);
  if (!near.empty()) {
    report.warnings.push_back(entry.name + " (" + source + ") is unknown; did you mean " + near +
                              "?");
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
  for (const std::string& error : file.errors) report.errors.push_back(path + " " + error);
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
void read_value_files(GivenValues& values, Report& report) {
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      const std::string name(variable.name);
      const std::string file_name = name + std::string(kFileSuffix);
      if (!variable.may_be_in_file || !is_given(values, file_name)) continue;
      const Given file = values[file_name];
      const Result<std::string> text = read_text_file(std::string(trim(file.value)));
      if (is_given(values, name)) {
        report.errors.push_back(file_name + " (" + file.source + "): " + name +
                                " is set in the same place. Accepted: one of the two");
      } else if (!text) {
        report.errors.push_back(file_name + " (" + file.source + "): the file " +
                                in_quotes(trim(file.value)) + " " + text.error().detail +
                                ". Accepted: the path of a file with the value of " + name);
      } else {
        values[name] = {*text, file.source + ", " + file_name};
      }
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
