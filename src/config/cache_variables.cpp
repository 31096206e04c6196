// The cache of answers.
#include <array>

#include "enum_names.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

void read_routes(std::string_view text, Settings& settings, Problems& problems) {
  const Result<std::vector<std::string>> list = parse_string_list(text);
  if (!list) return problems.push_back(list.error().detail);
  std::vector<std::string> routes;
  for (const std::string& item : *list) {
    if (const Result<std::string> path = parse_path(item)) {
      routes.push_back(*path);
    } else {
      problems.push_back(path.error().detail);
    }
  }
  if (problems.empty()) settings.cache.routes = std::move(routes);
}

void read_backend(std::string_view text, Settings& settings, Problems& problems) {
  const auto backend = cache_backend_from(text);
  if (!backend) return problems.push_back(in_quotes(text) + " is unknown");
  settings.cache.backend = *backend;
}

void read_scope(std::string_view text, Settings& settings, Problems& problems) {
  const std::string word = to_lower(text);
  if (word != "caller" && word != "global")
    return problems.push_back(in_quotes(text) + " is unknown");
  settings.cache.shared_by_all_callers = word == "global";
}

// A URL may hold a password.
std::string show_place(const Settings& settings) {
  const std::string& place = settings.cache.root_path_or_url;
  const std::size_t at = place.rfind('@');
  const std::size_t scheme_end = place.find("://");
  if (scheme_end == std::string::npos || at == std::string::npos) return place;
  return place.substr(0, scheme_end + 3) + "***" + place.substr(at);
}

const std::array kVariables{
    Variable{"CACHE_OPENAI", "Keeps answers of openai routes.", "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.cache.openai, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.cache.openai); }},
    Variable{"CACHE_GENERAL", "Keeps answers of general routes.", "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.cache.general, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.cache.general); }},
    Variable{
        "CACHE_ROUTES",
        "JSON list of paths, each with its route's prefix, whose answers are kept. Empty: chat\n"
        "completions and embeddings.",
        R"(["/v1/chat/completions","/v1/embeddings"])", "a JSON list of paths", read_routes,
        [](const Settings& settings) {
          return settings.cache.routes.empty() ? "" : show_json(settings.cache.routes);
        }},
    Variable{
        "CACHE_BACKEND", "Where answers are kept: MEMORY, LMDB, LevelDB or REDIS.", "LMDB",
        "MEMORY, LMDB, LevelDB or REDIS", read_backend,
        [](const Settings& settings) { return std::string(to_string(settings.cache.backend)); }},
    Variable{
        "CACHE_ROOT_PATH_OR_URL",
        "The directory for LMDB and LevelDB, or the redis:// URL for REDIS.", "./FLAXKV_DB",
        "a directory, or redis://[user:password@]host:port[/database] with CACHE_BACKEND=REDIS",
        [](std::string_view text, Settings& settings, Problems&) {
          settings.cache.root_path_or_url = text;
        },
        show_place},
    Variable{
        "CACHE_SCOPE",
        "Who may be answered from the cache: caller (forward keys of one level share, every other\n"
        "key has its own) or global (all callers share).",
        "caller", "caller or global", read_scope,
        [](const Settings& settings) {
          return std::string(settings.cache.shared_by_all_callers ? "global" : "caller");
        }},
    Variable{"DEFAULT_REQUEST_CACHING_VALUE",
             "Whether a request without a \"caching\" field in its body uses the cache.", "false",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.cache.cached_by_default, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.cache.cached_by_default); }},
};

}  // namespace

std::span<const Variable> cache_variables() {
  return kVariables;
}

}  // namespace aifd::config
