// What is written down, and where.
#include <array>

#include "scalars.hpp"
#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

// The words are known in any case; anything else is a file's path.
void read_access_log(std::string_view text, Settings& settings, Problems&) {
  const std::string word = to_lower(text);
  settings.access_log = word == "off" || word == "stdout" ? word : std::string(text);
}

const std::array kVariables{
    Variable{"LOG_OPENAI", "Writes the conversations of openai routes to LOG_FOLDER.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.log_openai, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.log_openai); }},
    Variable{"LOG_GENERAL", "Writes requests and answers of general routes there.", "true",
             kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.log_general, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.log_general); }},
    Variable{"PRINT_CHAT", "Shows conversations on the console, in colour.", "true", kAcceptedBool,
             [](std::string_view text, Settings& settings, Problems& problems) {
               assign(settings.print_chat, parse_bool(text), problems);
             },
             [](const Settings& settings) { return show_bool(settings.print_chat); }},
    Variable{
        "LOG_FOLDER", "The directory of the conversation logs.", "Log", "a directory",
        [](std::string_view text, Settings& settings, Problems&) { settings.log_folder = text; },
        [](const Settings& settings) { return settings.log_folder; }},
    Variable{
        "ACCESS_LOG",
        "One line of JSON a request: off, stdout, or a file's path. Its \"cache_key\" is what\n"
        "`aifd cache get` takes.",
        "stdout", "off, stdout or a file's path", read_access_log,
        [](const Settings& settings) { return settings.access_log; }},
};

}  // namespace

std::span<const Variable> log_variables() {
  return kVariables;
}

}  // namespace aifd::config
