// API keys, forward keys, and what their levels may do. No text here may hold a key.
#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr int kHighestLevel = 1'000'000;

Error bad_level() {
  return wrong("has a level that is not a whole number from 0 to 1000000");
}

Result<int> parse_level(std::string_view text) {
  const auto level = to_integer<int>(trim(text));
  if (!level || *level < 0 || *level > kHighestLevel) return bad_level();
  return *level;
}

Result<int> level_of(const Json& value) {
  if (value.is_string()) return parse_level(value.get_ref<const std::string&>());
  if (!value.is_number_integer()) return bad_level();
  return parse_level(value.dump());
}

Result<Secret> parse_key(std::string_view text) {
  const std::string_view key = trim(text);
  if (key.empty()) return wrong("has an empty key");
  if (!is_token_text(key)) {
    return wrong("has a key with a space, a control character or a character outside ASCII in it");
  }
  return Secret(std::string(key));
}

Result<Secret> key_of(const Json& value) {
  if (value.is_string()) return parse_key(value.get_ref<const std::string&>());
  return wrong("has " + json_type(value) + " where a key belongs; write keys in quotes");
}

// [0, 1], 0 or "0,1".
Result<std::vector<int>> levels_of(const Json& value) {
  Json list = value;
  if (value.is_string()) list = split(value.get_ref<const std::string&>(), ',');
  if (!list.is_array()) list = Json::array({value});
  if (list.empty()) {
    return wrong(
        "has a key with an empty list of levels; for every level, write a plain list of "
        "keys");
  }
  std::vector<int> levels;
  for (const Json& item : list) {
    const Result<int> level = level_of(item);
    if (!level) return level.error();
    if (std::find(levels.begin(), levels.end(), *level) == levels.end()) levels.push_back(*level);
  }
  return levels;
}

// Keys as JSON says them, or as plain text with commas between them.
Result<Json> parse_keys(std::string_view text) {
  if (looks_like_json(text)) return parse_json(text);
  Json list = Json::array();
  for (const std::string& part : split(text, ',')) list.push_back(part);
  return to_result(std::move(list));
}

template <class Key>
void report_repeated(const std::vector<Key>& keys, Problems& problems) {
  std::set<std::string_view> seen;
  for (const Key& entry : keys) {
    if (!seen.insert(entry.key.reveal()).second) {
      return problems.push_back("has the same key twice");
    }
  }
}

void add_api_key(Result<Secret> key, Result<std::vector<int>> levels, std::vector<ApiKey>& keys,
                 Problems& problems) {
  if (!key) return problems.push_back(key.error().detail);
  if (!levels) return problems.push_back(levels.error().detail);
  keys.push_back({*key, *levels});
}

void read_api_keys(std::string_view text, Settings& settings, Problems& problems) {
  Result<Json> json = parse_keys(text);
  if (!json) return problems.push_back(json.error().detail);
  if (json->is_string()) *json = Json::array({*json});
  std::vector<ApiKey> keys;
  if (json->is_array()) {
    for (const Json& item : *json) add_api_key(key_of(item), std::vector<int>{}, keys, problems);
  } else if (json->is_object()) {
    for (const auto& [key, levels] : json->items()) {
      add_api_key(parse_key(key), levels_of(levels), keys, problems);
    }
  } else {
    return problems.push_back("is " + json_type(*json) + ", not an object or a list");
  }
  report_repeated(keys, problems);
  if (problems.empty()) settings.api_keys = std::move(keys);
}

bool is_digest(std::string_view digits) {
  constexpr std::size_t kDigestDigits = 64;
  return digits.size() == kDigestDigits &&
         digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void add_forward_key(const Result<Secret>& key, const Result<int>& level,
                     std::vector<ForwardKey>& keys, Problems& problems) {
  constexpr std::string_view kDigestMark = "sha256:";
  if (!key) return problems.push_back(key.error().detail);
  if (!level) return problems.push_back(level.error().detail);
  const std::string_view text = key->reveal();
  if (text.starts_with(kDigestMark) && !is_digest(text.substr(kDigestMark.size()))) {
    return problems.push_back("has a key that begins with sha256: but not 64 hex digits after it");
  }
  keys.push_back({*key, *level});
}

// "fk-0": 0 names a key first; "0": ["fk-0"] and "0": "fk-0" name a level first.
void read_forward_entry(const std::string& name, const Json& value, std::vector<ForwardKey>& keys,
                        Problems& problems) {
  if (value.is_number()) return add_forward_key(parse_key(name), level_of(value), keys, problems);
  if (!value.is_array() && !value.is_string()) {
    return problems.push_back("has " + json_type(value) +
                              " where a level or a list of keys belongs");
  }
  const Result<int> level = parse_level(name);
  if (!level) {
    return problems.push_back(R"(has an entry that is neither "key": level nor "level": ["key"])");
  }
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& key : list) add_forward_key(key_of(key), level, keys, problems);
}

void read_forward_keys(std::string_view text, Settings& settings, Problems& problems) {
  Result<Json> json = parse_keys(text);
  if (!json) return problems.push_back(json.error().detail);
  if (json->is_string()) *json = Json::array({*json});
  std::vector<ForwardKey> keys;
  if (json->is_array()) {
    for (const Json& key : *json) add_forward_key(key_of(key), 0, keys, problems);
  } else if (json->is_object()) {
    for (const auto& [name, value] : json->items()) {
      read_forward_entry(name, value, keys, problems);
    }
  } else {
    return problems.push_back("is " + json_type(*json) + ", not an object or a list");
  }
  report_repeated(keys, problems);
  if (problems.empty()) settings.forward_keys = std::move(keys);
}

Result<std::vector<std::string>> models_of(const Json& value) {
  const Json list = value.is_string() ? Json::array({value}) : value;
  if (!list.is_array()) return wrong("has " + json_type(value) + " where a list of models belongs");
  std::vector<std::string> models;
  for (const Json& model : list) {
    if (!model.is_string() || trim(model.get_ref<const std::string&>()).empty()) {
      return wrong("has something in a list of models that is not a model's name");
    }
    models.emplace_back(trim(model.get_ref<const std::string&>()));
  }
  return models;
}

void read_level_models(std::string_view text, Settings& settings, Problems& problems) {
  const Result<Json> json = parse_json(text);
  if (!json) return problems.push_back(json.error().detail);
  if (!json->is_object()) return problems.push_back("is " + json_type(*json) + ", not an object");
  std::map<int, std::vector<std::string>> by_level;
  for (const auto& [name, value] : json->items()) {
    const Result<int> level = parse_level(name);
    const Result<std::vector<std::string>> models = models_of(value);
    if (!level) {
      problems.push_back(level.error().detail);
    } else if (!models) {
      problems.push_back(models.error().detail);
    } else if (!by_level.emplace(*level, *models).second) {
      problems.push_back("has level " + std::to_string(*level) + " twice");
    }
  }
  if (problems.empty()) settings.level_models = std::move(by_level);
}

std::string show_api_keys(const Settings& settings) {
  std::vector<std::string> entries;
  for (const ApiKey& entry : settings.api_keys) {
    const Json levels = entry.levels.empty() ? Json("every level") : Json(entry.levels);
    entries.push_back(show_json(entry.key.masked()) + ":" + show_json(levels));
  }
  return entries.empty() ? "" : '{' + join(entries, ",") + '}';
}

std::string show_forward_keys(const Settings& settings) {
  std::vector<std::string> entries;
  for (const ForwardKey& entry : settings.forward_keys) {
    entries.push_back(show_json(entry.key.masked()) + ":" + std::to_string(entry.level));
  }
  return entries.empty() ? "" : '{' + join(entries, ",") + '}';
}

std::string show_level_models(const Settings& settings) {
  Json models = Json::object();
  for (const auto& [level, names] : settings.level_models) models[std::to_string(level)] = names;
  return models.empty() ? "" : show_json(models);
}

const std::array kVariables{
    Variable{
        "OPENAI_API_KEY_CONFIG",
        "The upstream's API keys, each with the levels that may use it: {\"key\": [levels]}. A\n"
        "plain list, or keys with commas between them, are for every level.",
        R"({"sk-xxx1":[0],"sk-xxx2":[1],"sk-xxx3":[1,2]})",
        R"(a JSON object {"sk-...":[0,1]}, a list ["sk-..."], or keys with commas between them)",
        read_api_keys, show_api_keys, true},
    Variable{
        "FORWARD_KEY_CONFIG",
        "Keys that you give out instead, each with its level: {\"key\": level} or\n"
        "{\"level\": [keys]}. A plain list is of level 0. Instead of a key, its digest may stand\n"
        "here: sha256:<64 hex digits>.",
        R"({"0":["fk-0"],"1":["fk-1","fk-11"],"2":["fk-2"]})",
        R"(a JSON object {"fk-0":0} or {"0":["fk-0"]}, or a list ["fk-0"])", read_forward_keys,
        show_forward_keys, true},
    Variable{
        "LEVEL_MODELS",
        "The models that a level may use, * standing for any letters. Level 0 may use all. When\n"
        "this is empty, every level may. Lists of models show a level only its own, and what it\n"
        "sends must name its model where aifd can read it: JSON, a form, the path.",
        R"({"1":["gpt-4"],"2":["gpt-3.5-turbo*"]})", R"(a JSON object {"1":["gpt-4"]})",
        read_level_models, show_level_models},
    Variable{"REQUIRE_FORWARD_KEY",
             "Refuses callers without a forward key; else other keys are passed on as they are.",
             "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.require_forward_key, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.require_forward_key); }},
    Variable{"API_KEY_COOLDOWN",
             "Seconds that an API key rests after an upstream answered 401 or 429 and did not say\n"
             "for how long. The other keys of its level take over.",
             "60", "seconds, decimals allowed, such as 60; 0: no rest",
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.api_key_cooldown, parse_seconds(text), problems);
             },
             [](const Settings& settings) { return show_seconds(settings.api_key_cooldown); }},
};

}  // namespace

std::span<const Variable> key_variables() {
  return kVariables;
}

}  // namespace aifd::config
