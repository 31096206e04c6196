#include "yaml_reader.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <set>
#include <sstream>
#include <utility>

#include "names.hpp"
#include "text.hpp"
#include "yaml_json.hpp"

namespace aifd::config {
namespace {

struct Place {
  std::string_view section;  // empty: the top level
  std::string_view key;
  std::string_view variable;
};

// The original's layout, where it does not simply have the variable's name in lower case. Its
// example has the request limits under rate_limit while its code reads them from the top: both.
constexpr std::array kPlaces{
    Place{"", "forward", "FORWARD_CONFIG"},
    Place{"", "timezone", "TZ"},
    Place{"log", "openai", "LOG_OPENAI"},
    Place{"log", "general", "LOG_GENERAL"},
    Place{"cache", "openai", "CACHE_OPENAI"},
    Place{"cache", "general", "CACHE_GENERAL"},
    Place{"cache", "routes", "CACHE_ROUTES"},
    Place{"cache", "backend", "CACHE_BACKEND"},
    Place{"cache", "root_path_or_url", "CACHE_ROOT_PATH_OR_URL"},
    Place{"cache", "default_request_caching_value", "DEFAULT_REQUEST_CACHING_VALUE"},
    Place{"api_key", "level", "LEVEL_MODELS"},
    Place{"api_key", "openai_key", "OPENAI_API_KEY_CONFIG"},
    Place{"api_key", "forward_key", "FORWARD_KEY_CONFIG"},
    Place{"rate_limit", "global_rate_limit", "GLOBAL_RATE_LIMIT"},
    Place{"rate_limit", "strategy", "RATE_LIMIT_STRATEGY"},
    Place{"rate_limit", "iter_chunk", "ITER_CHUNK_TYPE"},
    Place{"rate_limit", "req_rate_limit", "REQ_RATE_LIMIT"},
    Place{"rate_limit", "req_rate_limit_backend", "REQ_RATE_LIMIT_BACKEND"},
    Place{"rate_limit", "backend", "REQ_RATE_LIMIT_BACKEND"},
    Place{"rate_limit", "token_rate_limit", "TOKEN_RATE_LIMIT"},
    Place{"rate_limit", "token_quota", "TOKEN_QUOTA"},
};

bool is_section(std::string_view key) {
  return key == "log" || key == "cache" || key == "api_key" || key == "rate_limit";
}

// The variable that a key means; empty when it means none.
std::string variable_for(std::string_view section, std::string_view key) {
  for (const Place& place : kPlaces) {
    if (place.section == section && place.key == key) return std::string(place.variable);
  }
  if (!section.empty()) return {};
  for (const std::string& name : {std::string(key), to_upper(key), to_lower(key)}) {
    if (is_accepted_name(name)) return name;
  }
  return {};
}

// Takes the parser's events and does nothing with them.
class Ignore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// YAML::LoadAll would tell, but it never ends when the text begins with a comma.
bool is_one_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Ignore ignore;
  return !parser.HandleNextDocument(ignore) || !parser.HandleNextDocument(ignore);
}

class Reader {
 public:
  YamlFile run(const std::string& text) {
    if (!is_one_document(text)) {
      file_.errors.push_back(
          "1:1: is not one YAML document; is there a line \"---\" in it, or a stray character at "
          "its "
          "beginning?");
      return std::move(file_);
    }
    const YAML::Node document = YAML::Load(text);
    if (!document.IsNull()) read_mapping(document, "");
    return std::move(file_);
  }

 private:
  void fail(const YAML::Node& node, const std::string& what) {
    file_.errors.push_back(position(node) + ": " + what);
  }

  void read_mapping(const YAML::Node& node, const std::string& section) {
    const std::string where = section.empty() ? "the file" : section;
    if (!node.IsMap()) return fail(node, where + " must hold names with values (\"name: value\")");
    std::set<std::string> seen;
    for (const auto& item : node) {
      const YAML::Node& key = item.first;
      if (!key.IsScalar()) {
        fail(key, "a name must be plain text");
      } else if (!seen.insert(key.Scalar()).second) {
        fail(key, key.Scalar() + " is given twice");
      } else {
        read_entry(section, key, item.second);
      }
    }
  }

  void read_entry(const std::string& section, const YAML::Node& key, const YAML::Node& value) {
    const std::string& name = key.Scalar();
    if (section.empty() && is_section(name)) {
      if (!value.IsNull()) read_mapping(value, name);
      return;
    }
    const std::string variable = variable_for(section, name);
    if (variable.empty()) return fail(key, unknown(section, name));
    const auto [known, is_new] = given_as_.emplace(variable, name);
    if (!is_new) return fail(key, name + " sets " + variable + ", which is set above already");
    if (value.IsNull()) return;
    store(variable, value);
  }

  void store(const std::string& variable, const YAML::Node& value) {
    YamlValue result{"", value.Mark().line + 1, value.Mark().column + 1};
    if (value.IsScalar()) {
      result.text = value.Scalar();
    } else if (const Result<std::string> json = converter_.to_json(value)) {
      result.text = *json;
    } else {
      file_.errors.push_back(json.error().detail);
      return;
    }
    file_.values.emplace(variable, std::move(result));
  }

  static std::string unknown(const std::string& section, const std::string& name) {
    const std::string what = in_quotes(name) + " is unknown";
    if (!section.empty()) return what + " in " + section;
    const std::string near = nearest_name(to_upper(name));
    return near.empty() ? what : what + "; did you mean " + to_lower(near) + "?";
  }

  YamlFile file_;
  std::map<std::string, std::string> given_as_;
  YamlConverter converter_;
};

}  // namespace

YamlFile parse_yaml(const std::string& text) {
  try {
    return Reader().run(text);
  } catch (const YAML::Exception& error) {
    const std::string at = error.mark.is_null() ? "1:1"
                                                : std::to_string(error.mark.line + 1) + ":" +
                                                      std::to_string(error.mark.column + 1);
    return {{}, {at + ": is not valid YAML (" + error.msg + ")"}};
  }
}

}  // namespace aifd::config
