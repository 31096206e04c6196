// `aifd convert`: what was asked and answered, out of the conversation log.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "aifd/app/exit_codes.hpp"
#include "aifd/config/load.hpp"

namespace aifd::app {

struct ConvertCommand {
  std::string log_folder;  // empty: those of the settings' openai routes
  std::string target;      // empty: beside the folder
  std::string format = "json";
};

// The command's flags; `command` and `sources` outlive the app.
void add_convert_flags(CLI::App& app, config::Sources& sources, ConvertCommand& command);

// Says on standard output what became of which folder, and on standard error what had to be left
// out; that is no failure.
ExitCode convert(const config::Sources& sources, const ConvertCommand& command);

}  // namespace aifd::app
