// FORWARD_CONFIG and what belongs to single routes.
#include <algorithm>
#include <array>
#include <optional>

#include "enum_names.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::size_t kMostRoutes = 1000;
constexpr std::size_t kLongestPrefix = 200;

// The string under a name of one entry; reports when it is missing or something else.
std::optional<std::string> string_field(const Json& entry, const char* name,
                                        const std::string& where, Problems& problems) {
  const auto field = entry.find(name);
  if (field == entry.end()) {
    problems.push_back(where + " has no \"" + name + "\"");
  } else if (!field->is_string()) {
    problems.push_back(where + " has " + json_type(*field) + " as \"" + name + "\"");
  } else {
    return std::string(trim(field->get_ref<const std::string&>()));
  }
  return std::nullopt;
}

void report_unknown_fields(const Json& entry, std::initializer_list<std::string_view> known,
                           const std::string& where, Problems& problems) {
  for (const auto& [name, value] : entry.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      problems.push_back(where + " has an unknown name " + in_quotes(name));
    }
  }
}

// The prefix as a person writes it: also without its first slash, and "" for "/".
// Its logs' folder has its name, so that it cannot be longer than a file's.
Result<std::string> parse_prefix(const std::string& text) {
  if (text.size() > kLongestPrefix)
    return wrong(in_quotes(text) + " is longer than 200 characters");
  return parse_path(text.starts_with('/') ? text : '/' + text);
}

Result<RouteType> parse_type(const std::string& text) {
  if (text == "openai") return RouteType::openai;
  if (text == "general") return RouteType::general;
  return wrong("has the type " + in_quotes(text) + ", which is neither openai nor general");
}

void read_route(const Json& entry, const std::string& where, std::vector<Route>& routes,
                Problems& problems) {
  if (!entry.is_object()) return problems.push_back(where + " is " + json_type(entry));
  report_unknown_fields(entry, {"base_url", "route", "type"}, where, problems);
  const auto base_url = string_field(entry, "base_url", where, problems);
  const auto prefix = string_field(entry, "route", where, problems);
  const auto type = entry.contains("type") ? string_field(entry, "type", where, problems)
                                           : std::optional<std::string>("general");
  if (!base_url || !prefix || !type) return;

  Problems found;
  Route route;
  assign(route.base_url, parse_base_url(*base_url), found);
  if (!found.empty()) found.front() = "has a base_url that " + found.front();
  if (const auto parsed = parse_prefix(*prefix)) {
    route.prefix = *parsed;
  } else {
    found.push_back("has a route that is wrong: " + parsed.error().detail);
  }
  assign(route.type, parse_type(*type), found);
  for (const std::string& problem : found) problems.push_back((where + " ").append(problem));
  if (found.empty()) routes.push_back(std::move(route));
}

void report_duplicates(const std::vector<Route>& routes, Problems& problems) {
  for (auto route = routes.begin(); route != routes.end(); ++route) {
    const auto same = std::find_if(
        routes.begin(), route, [&](const Route& other) { return other.prefix == route->prefix; });
    if (same != route) problems.push_back("has the route " + in_quotes(route->prefix) + " twice");
  }
}

void read_forward_config(std::string_view text, Settings& settings, Problems& problems) {
  const Result<Json> json = parse_json(text);
  if (!json) return problems.push_back(json.error().detail);
  if (!json->is_array()) return problems.push_back("is " + json_type(*json) + ", not a list");
  if (json->empty()) return problems.push_back("is an empty list: nothing would be forwarded");
  if (json->size() > kMostRoutes) return problems.push_back("has more than 1000 entries");
  std::vector<Route> routes;
  for (std::size_t i = 0; i < json->size(); ++i) {
    read_route((*json)[i], "entry " + std::to_string(i + 1), routes, problems);
  }
  report_duplicates(routes, problems);
  if (!problems.empty()) return;
  std::stable_sort(routes.begin(), routes.end(), [](const Route& left, const Route& right) {
    return left.prefix.size() > right.prefix.size();
  });
  settings.routes = std::move(routes);
}

std::string show_routes(const Settings& settings) {
  std::vector<std::string> entries;
  for (const Route& route : settings.routes) {
    entries.push_back(R"({"base_url":)" + show_json(route.base_url.to_string()) + R"(,"route":)" +
                      show_json(route.prefix) + R"(,"type":")" +
                      std::string(to_string(route.type)) + "\"}");
  }
  return '[' + join(entries, ",") + ']';
}

void read_models(const Json& map, ModelMap& target, Problems& problems) {
  if (!map.is_object()) return problems.push_back("has " + json_type(map) + " as \"model_map\"");
  for (const auto& [asked, served] : map.items()) {
    if (asked.empty() || !served.is_string() || served.get_ref<const std::string&>().empty()) {
      problems.push_back(
          "has an entry in \"model_map\" that is not \"asked name\": \"served name\"");
    } else {
      target.models[asked] = served.get<std::string>();
    }
  }
}

void read_model_config(std::string_view text, Settings& settings, Problems& problems) {
  const Result<Json> json = parse_json(text);
  if (!json) return problems.push_back(json.error().detail);
  if (!json->is_object()) return problems.push_back("is " + json_type(*json) + ", not an object");
  if (json->empty()) return;
  report_unknown_fields(*json, {"backend", "model_map", "api_base"}, "it", problems);
  const auto backend = string_field(*json, "backend", "it", problems);
  if (backend && *backend != "ollama") {
    problems.push_back("has the backend " + in_quotes(*backend) + "; only \"ollama\" is known");
  }
  ModelMap map;
  if (json->contains("model_map")) read_models((*json)["model_map"], map, problems);
  const std::string api_base = json->contains("api_base")
                                   ? string_field(*json, "api_base", "it", problems).value_or("")
                                   : "http://localhost:11434";
  if (api_base.empty()) return;
  const Result<BaseUrl> url = parse_base_url(api_base);
  if (!url) return problems.push_back("has an api_base that " + url.error().detail);
  map.api_base = *url;
  if (problems.empty()) settings.model_map = std::move(map);
}

std::string show_model_config(const Settings& settings) {
  if (settings.model_map.models.empty()) return "";
  return show_json({{"backend", "ollama"},
                    {"model_map", settings.model_map.models},
                    {"api_base", settings.model_map.api_base.to_string()}});
}

constexpr std::string_view kAcceptedPath = "a path such as /v1/chat/completions";

const std::array kVariables{
    Variable{
        "FORWARD_CONFIG",
        "JSON list of what is forwarded where. The longest route that fits wins, on whole path\n"
        "segments. type is openai (logs, cache and models understand it) or general.",
        R"([{"base_url":"https://api.openai.com","route":"/","type":"openai"}])",
        R"(a JSON list such as [{"base_url":"https://api.openai.com","route":"/","type":"openai"}],)"
        " type being openai or general",
        read_forward_config, show_routes},
    Variable{"CHAT_COMPLETION_ROUTE", "Path of chat completions, after a route's prefix.",
             "/v1/chat/completions", kAcceptedPath,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.chat_completion_path, parse_path(text), problems);
             },
             [](const Settings& settings) { return settings.chat_completion_path; }},
    Variable{"COMPLETION_ROUTE", "Path of completions, after a route's prefix.", "/v1/completions",
             kAcceptedPath,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.completion_path, parse_path(text), problems);
             },
             [](const Settings& settings) { return settings.completion_path; }},
    Variable{"EMBEDDING_ROUTE", "Path of embeddings, after a route's prefix.", "/v1/embeddings",
             kAcceptedPath,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.embedding_path, parse_path(text), problems);
             },
             [](const Settings& settings) { return settings.embedding_path; }},
    Variable{"CUSTOM_GENERAL_ROUTE",
             "The path of general routes whose answers CACHE_GENERAL keeps where CACHE_ROUTES is\n"
             "empty, after a route's prefix.",
             "/v1/models/gemini-pro", kAcceptedPath,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.custom_general_path, parse_path(text), problems);
             },
             [](const Settings& settings) { return settings.custom_general_path; }},
    Variable{
        "CUSTOM_MODEL_CONFIG",
        "Models that a local Ollama answers instead, under the name it knows them by.",
        R"({"backend":"ollama","model_map":{"gpt-3.5-turbo":"qwen2:7b"},"api_base":"http://localhost:11434"})",
        R"(a JSON object {"backend":"ollama","model_map":{"asked name":"served name"},"api_base":"http://..."})",
        read_model_config, show_model_config},
    Variable{"DEFAULT_STREAM_RESPONSE",
             "Whether an answer is logged as a stream where neither it nor its request says which.",
             "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.default_stream_response, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.default_stream_response); }},
    Variable{"BENCHMARK_MODE", "Serves a built-in model at /benchmark/v1/chat/completions.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.benchmark_mode, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.benchmark_mode); }},
};

}  // namespace

std::span<const Variable> route_variables() {
  return kVariables;
}

}  // namespace aifd::config
