// Limits of requests and of streamed tokens.
#include <array>

#include "aifd/config/redis_url.hpp"
#include "enum_names.hpp"
#include "route_limits.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kAcceptedRouteLimits =
    R"(a JSON object {"/route":"60/minute"} or {"/route":[{"level":0,"limit":"60/minute"}]})";
constexpr std::string_view kAcceptedStrategies =
    "fixed-window, moving-window, fixed-window-elastic-expiry, sliding-window-counter or gcra";

void read_strategy(std::string_view text, Settings& settings, Problems& problems) {
  const auto strategy = strategy_from(text);
  if (!strategy) return problems.push_back(in_quotes(text) + " is unknown");
  settings.limits.strategy = *strategy;
}

void read_backend(std::string_view text, Settings& settings, Problems& problems) {
  const std::string word = to_lower(text);
  if (word == "memory" || word == "memory://") {
    settings.limits.backend_url = Secret();
  } else if (const Result<RedisUrl> url = parse_redis_url(text); !url) {
    problems.push_back(url.error().detail);
  } else {
    settings.limits.backend_url = Secret(std::string(text));
  }
}

std::string show_backend(const Settings& settings) {
  if (settings.limits.backend_url.empty()) return "memory";
  const Result<RedisUrl> url = parse_redis_url(settings.limits.backend_url.reveal());
  return url ? url->to_string() : "***";
}

void read_chunk_type(std::string_view text, Settings& settings, Problems& problems) {
  const auto type = chunk_type_from(text);
  if (!type) return problems.push_back(in_quotes(text) + " is unknown");
  settings.limits.iter_chunk_type = *type;
}

const std::array kVariables{
    Variable{
        "REQ_RATE_LIMIT",
        "Requests that one caller may make, by route; of the routes that fit, the longest wins.\n"
        "A caller is known by its key, or else by its address.\n"
        "Limits are written [count]/[n][second|minute|hour|day|month|year], several with ; "
        "between\n"
        "them, and may differ by level.",
        R"({"/v1/chat/completions":[{"level":0,"limit":"100/2minutes"}],"/v1/completions":"60/minute;600/hour"})",
        kAcceptedRouteLimits,
        [](std::string_view text, Settings& settings, Problems& problems) {
          read_route_limits(text, settings.limits.requests, problems);
        },
        [](const Settings& settings) { return show_route_limits(settings.limits.requests); }},
    Variable{"GLOBAL_RATE_LIMIT", "The limit of routes without one of their own.", "inf",
             R"(a limit such as "200/minute", or inf)",
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.limits.global, parse_rate_limits(text), problems);
             },
             [](const Settings& settings) { return to_string(settings.limits.global); }},
    Variable{
        "RATE_LIMIT_STRATEGY",
        "How requests are counted: fixed-window, moving-window, fixed-window-elastic-expiry,\n"
        "sliding-window-counter or gcra.",
        "fixed-window", kAcceptedStrategies, read_strategy,
        [](const Settings& settings) { return std::string(to_string(settings.limits.strategy)); }},
    Variable{"REQ_RATE_LIMIT_BACKEND",
             "Where they are counted: memory (one count for all workers), or a Redis server that\n"
             "several machines share.",
             "redis://localhost:6379/0",
             "memory, redis://[user:password@]host:port[/database] or rediss://...", read_backend,
             show_backend, true},
    Variable{
        "REDIS_TIMEOUT",
        "Seconds that a request waits for that server. While it is away each daemon counts\n"
        "alone.",
        "0.02", kAcceptedTimeout,
        [](std::string_view text, Settings& settings, Problems& problems) {
          assign(settings.limits.backend_timeout, parse_timeout(text), problems);
        },
        [](const Settings& settings) { return show_seconds(settings.limits.backend_timeout); }},
    Variable{
        "TOKEN_RATE_LIMIT",
        "Pace of streamed answers, by route, in the same notation. An event of the stream counts\n"
        "as one token.",
        R"({"/v1/chat/completions":[{"level":0,"limit":"100/second"}],"/benchmark/v1/chat/completions":"20/second"})",
        kAcceptedRouteLimits,
        [](std::string_view text, Settings& settings, Problems& problems) {
          read_route_limits(text, settings.limits.tokens, problems);
        },
        [](const Settings& settings) { return show_route_limits(settings.limits.tokens); }},
    Variable{
        "TOKEN_QUOTA",
        "Tokens that one caller may use up, by route, in the same notation. An estimate is held\n"
        "back before (the body's bytes / 4, and max_tokens); what the upstream reports as usage\n"
        "counts. Streams report it where the request has stream_options.include_usage; else each\n"
        "event counts one. Every daemon counts for itself.",
        R"({"/v1/chat/completions":"1000000/day"})", kAcceptedRouteLimits,
        [](std::string_view text, Settings& settings, Problems& problems) {
          read_route_limits(text, settings.limits.token_quota, problems);
        },
        [](const Settings& settings) { return show_route_limits(settings.limits.token_quota); }},
    Variable{"ITER_CHUNK_TYPE",
             "efficiency passes on what has arrived; one-by-one passes on event by event.",
             "efficiency", "efficiency or one-by-one", read_chunk_type,
             [](const Settings& settings) {
               return std::string(to_string(settings.limits.iter_chunk_type));
             }},
};

}  // namespace

std::span<const Variable> limit_variables() {
  return kVariables;
}

}  // namespace aifd::config
