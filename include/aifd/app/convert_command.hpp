// `aifd convert` on the command line; what it does is module convert's.
#pragma once

#include <CLI/CLI.hpp>

#include "aifd/app/exit_codes.hpp"
#include "aifd/config/load.hpp"
#include "aifd/convert/command.hpp"

namespace aifd::app {

// The command's flags; `command` and `sources` outlive the app.
void add_convert_flags(CLI::App& app, config::Sources& sources, convert::Command& command);

ExitCode convert(const config::Sources& sources, const convert::Command& command);

}  // namespace aifd::app
