// What is written down, and where.
#include <re2/re2.h>

#include <array>

#include "client_gone.hpp"
#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::uint64_t kMostKept = 1'000'000;
constexpr std::uint64_t kLeastRotateBytes = 1000;
constexpr std::uint64_t kLeastQueueBytes = std::uint64_t{64} << 10;
constexpr int kMostProgram = 2000;  // of a pattern; what it costs for each byte, at the worst
constexpr std::string_view kAcceptedRotate = "bytes such as 50MB, at least 1KB";
constexpr std::string_view kAcceptedQueue = "bytes such as 64MiB, at least 64KiB";

// The words are known in any case; anything else is a file's path.
void read_access_log(std::string_view text, Settings& settings, Problems&) {
  const std::string word = to_lower(text);
  settings.logs.access = word == "off" || word == "stdout" ? word : std::string(text);
}

void read_size_of(std::string_view text, std::uint64_t least, std::uint64_t& target,
                  Problems& problems) {
  const Result<std::uint64_t> bytes = parse_bytes(text);
  if (!bytes) return problems.push_back(bytes.error().detail);
  if (*bytes < least) return problems.push_back(in_quotes(text) + " is too little");
  target = *bytes;
}

void read_compress(std::string_view text, Settings& settings, Problems& problems) {
  const std::string word = to_lower(text);
  if (word != "off" && word != "zstd") {
    return problems.push_back(in_quotes(text) + " is neither off nor zstd");
  }
  settings.logs.compress = word == "zstd";
}

void read_overflow(std::string_view text, Settings& settings, Problems& problems) {
  const std::string word = to_lower(text);
  if (word != "drop" && word != "wait") {
    return problems.push_back(in_quotes(text) + " is neither drop nor wait");
  }
  settings.logs.overflow = word == "wait" ? LogOverflow::wait : LogOverflow::drop;
}

// A pattern may begin with a bracket, as JSON does.
Result<std::vector<std::string>> patterns_of(std::string_view text) {
  if (!text.starts_with("[\"")) return std::vector<std::string>{std::string(text)};
  return parse_string_list(text);
}

void read_redact(std::string_view text, Settings& settings, Problems& problems) {
  Result<std::vector<std::string>> patterns = patterns_of(text);
  if (!patterns) return problems.push_back(patterns.error().detail);
  for (const std::string& pattern : *patterns) {
    const re2::RE2 compiled(pattern, re2::RE2::Quiet);
    if (!compiled.ok()) {
      problems.push_back("has the pattern " + in_quotes(pattern) + ": " + compiled.error());
    } else if (re2::RE2::FullMatch("", compiled)) {
      problems.push_back("has the pattern " + in_quotes(pattern) +
                         ", which matches even an empty text");
    } else if (compiled.ProgramSize() > kMostProgram) {
      problems.push_back("has the pattern " + in_quotes(pattern) + ", which takes too long: its " +
                         "program has " + std::to_string(compiled.ProgramSize()) +
                         " steps, and may have " + std::to_string(kMostProgram));
    }
  }
  if (problems.empty()) settings.logs.redact = std::move(*patterns);
}

const std::array kVariables{
    Variable{"LOG_OPENAI", "Writes the conversations of openai routes to LOG_FOLDER.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.logs.openai, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.logs.openai); }},
    Variable{"LOG_GENERAL", "Writes requests and answers of general routes there.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.logs.general, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.logs.general); }},
    Variable{"PRINT_CHAT", "Shows conversations on the console, in colour.", "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.logs.print_chat, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.logs.print_chat); }},
    Variable{
        "LOG_FOLDER", "The directory of the conversation logs.", "Log", "a directory",
        [](std::string_view text, Settings& settings, Problems&) { settings.logs.folder = text; },
        [](const Settings& settings) { return settings.logs.folder; }},
    Variable{"LOG_ROTATE_BYTES", "A conversation log that would grow over this begins anew.",
             "50MB", kAcceptedRotate,
             [](std::string_view text, Settings& settings, Problems& problems) {
               read_size_of(text, kLeastRotateBytes, settings.logs.rotate_bytes, problems);
             },
             [](const Settings& settings) { return show_bytes(settings.logs.rotate_bytes); }},
    Variable{"LOG_KEEP", "How many of the old files of each log are kept; 0: all.", "20",
             "a whole number, 0 for all",
             [](std::string_view text, Settings& settings, Problems& problems) {
               const Result<std::uint64_t> count = parse_count(text, 0, kMostKept);
               if (!count) return problems.push_back(count.error().detail);
               settings.logs.keep = *count;
             },
             [](const Settings& settings) { return std::to_string(settings.logs.keep); }},
    Variable{"LOG_COMPRESS", "How old files are compressed: off or zstd.", "zstd", "off or zstd",
             read_compress,
             [](const Settings& settings) {
               return std::string(settings.logs.compress ? "zstd" : "off");
             }},
    Variable{
        "LOG_QUEUE_BYTES",
        "What may wait in memory to be written, if the disk is slow. Answers under way may hold\n"
        "as much again, and are cut in their records beyond it.",
        "64MiB", kAcceptedQueue,
        [](std::string_view text, Settings& settings, Problems& problems) {
          read_size_of(text, kLeastQueueBytes, settings.logs.queue_bytes, problems);
        },
        [](const Settings& settings) { return show_bytes(settings.logs.queue_bytes); }},
    Variable{"LOG_OVERFLOW",
             "When that is full: drop (serve on, count what is not written) or wait (hold new\n"
             "requests until it is written).",
             "drop", "drop or wait", read_overflow,
             [](const Settings& settings) {
               return std::string(settings.logs.overflow == LogOverflow::wait ? "wait" : "drop");
             }},
    Variable{
        "LOG_REDACT",
        "Patterns (RE2 syntax) of what is masked as *** in conversation logs. Keys always are.",
        R"(["[\\w.+-]+@[\\w-]+\\.[\\w.]+"])", "a JSON list of patterns, or one pattern",
        read_redact,
        [](const Settings& settings) {
          return settings.logs.redact.empty() ? "" : show_json(settings.logs.redact);
        }},
    Variable{
        "CLIENT_GONE",
        "When a client leaves before its answer has ended: cancel (end the upstream's work) or\n"
        "drain (read the rest, for log, cache and books), within bounds such as\n"
        "drain:30s,64KiB. Also by route: {\"/v1/chat/completions\": \"drain\", \"/\": \"cancel\"}",
        "cancel", R"(cancel, drain, drain:30s,64KiB or a JSON object such as {"/": "drain"})",
        [](std::string_view text, Settings& settings, Problems& problems) {
          read_client_gone(text, settings.client_gone, problems);
        },
        [](const Settings& settings) { return show_client_gone(settings.client_gone); }},
    Variable{
        "ACCESS_LOG",
        "One line of JSON a request: off, stdout, or a file's path. Its \"cache_key\" is what\n"
        "`aifd cache get` takes.",
        "stdout", "off, stdout or a file's path", read_access_log,
        [](const Settings& settings) { return settings.logs.access; }},
};

}  // namespace

std::span<const Variable> log_variables() {
  return kVariables;
}

}  // namespace aifd::config
