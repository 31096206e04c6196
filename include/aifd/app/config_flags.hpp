// The flags that many commands have: those that set a setting.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "aifd/config/load.hpp"

namespace aifd::app {

// The sources outlive the command.
void add_config_flags(CLI::App& command, config::Sources& sources);

std::map<std::string, std::string> process_environment();

}  // namespace aifd::app
