// The cache of answers.
#include <array>

#include "enum_names.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::uint64_t kMostSeconds = 3'155'760'000;  // 100 years
constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 20;
constexpr std::string_view kAcceptedBytes = "bytes, at least 1MiB, such as 256MiB or 16GiB";
constexpr std::string_view kAcceptedEntryBytes = "bytes above 0, such as 65536 or 8MiB";

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

void read_ttl(std::string_view text, Settings& settings, Problems& problems) {
  const Result<std::uint64_t> seconds = parse_count(text, 0, kMostSeconds);
  if (!seconds) return problems.push_back(seconds.error().detail);
  settings.cache.ttl = std::chrono::seconds(*seconds);
}

void read_max_bytes(std::string_view text, Settings& settings, Problems& problems) {
  const Result<std::uint64_t> size = parse_bytes(text);
  if (size && *size < kLeastBytes) return problems.push_back(in_quotes(text) + " is too little");
  assign(settings.cache.max_bytes, size, problems);
}

void read_max_entry_bytes(std::string_view text, Settings& settings, Problems& problems) {
  const Result<std::uint64_t> size = parse_bytes(text);
  if (size && *size == 0) return problems.push_back("with 0 no answer would be kept");
  assign(settings.cache.max_entry_bytes, size, problems);
}

void read_replay(std::string_view text, Settings& settings, Problems& problems) {
  const auto replay = cache_replay_from(text);
  if (!replay) return problems.push_back(in_quotes(text) + " is unknown");
  settings.cache.replay = *replay;
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
    Variable{
        "CACHE_OPENAI",
        "Keeps answers of openai routes, and gives them to equal requests, where a request\n"
        "asks for it with \"caching\": true in its body. The answer's field x-aifd-cache says\n"
        "hit, miss or bypass.",
        "true", kAcceptedBool,
        [](std::string_view text, Settings& settings, Problems& problems) {
          assign(settings.cache.openai, parse_bool(text), problems);
        },
        [](const Settings& settings) { return show_bool(settings.cache.openai); }},
    Variable{
        "CACHE_GENERAL",
        "Keeps answers of general routes, on the paths in CACHE_ROUTES, of every GET and POST.",
        "true", kAcceptedBool,
        [](std::string_view text, Settings& settings, Problems& problems) {
          assign(settings.cache.general, parse_bool(text), problems);
        },
        [](const Settings& settings) { return show_bool(settings.cache.general); }},
    Variable{
        "CACHE_ROUTES",
        "JSON list of paths, each with its route's prefix, whose answers are kept. Empty: chat\n"
        "completions, completions, embeddings and /v1/responses of openai routes.",
        R"(["/v1/chat/completions","/v1/embeddings"])", "a JSON list of paths", read_routes,
        [](const Settings& settings) {
          return settings.cache.routes.empty() ? "" : show_json(settings.cache.routes);
        }},
    Variable{
        "CACHE_BACKEND",
        "Where answers are kept: MEMORY (until aifd ends), LMDB or LevelDB (on disk, for one\n"
        "aifd) or REDIS (a server that several share).",
        "LMDB", "MEMORY, LMDB, LevelDB or REDIS", read_backend,
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
    Variable{"CACHE_TTL", "Seconds that an answer is kept; 0: for ever.", "86400",
             "whole seconds, such as 86400 for a day, or 0 for ever", read_ttl,
             [](const Settings& settings) { return std::to_string(settings.cache.ttl.count()); }},
    Variable{
        "CACHE_MAX_BYTES",
        "What all answers may take; then old ones go. Empty: 256MiB of memory, 16GiB on disk. A\n"
        "Redis server has its own setting, maxmemory.",
        "1GiB", kAcceptedBytes, read_max_bytes,
        [](const Settings& settings) {
          return settings.cache.max_bytes ? show_bytes(*settings.cache.max_bytes) : std::string();
        }},
    Variable{"CACHE_MAX_ENTRY_BYTES", "The largest answer that is kept.", "8MiB",
             kAcceptedEntryBytes, read_max_entry_bytes,
             [](const Settings& settings) { return show_bytes(settings.cache.max_entry_bytes); }},
    Variable{
        "CACHE_REPLAY",
        "How a kept stream is sent: instant (at once), original (in the rhythm in which it\n"
        "came) or paced (by TOKEN_RATE_LIMIT).",
        "instant", "instant, original or paced", read_replay,
        [](const Settings& settings) { return std::string(to_string(settings.cache.replay)); }},
    Variable{"CACHE_SINGLE_FLIGHT",
             "Equal requests at one time share one call of the upstream, streams included.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.cache.single_flight, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.cache.single_flight); }},
};

}  // namespace

std::span<const Variable> cache_variables() {
  return kVariables;
}

}  // namespace aifd::config
