// What each command does; the command line itself is main's.
#pragma once

#include <string>

#include "aifd/app/exit_codes.hpp"
#include "aifd/config/load.hpp"

namespace aifd::app {

// Serves until SIGTERM or SIGINT. `demo`: a built-in model listens on loopback and "/" leads to it.
ExitCode run(const config::Sources& sources, bool demo);

// Prints the effective configuration, or everything that is wrong with it.
ExitCode check(const config::Sources& sources);

// Writes a commented .env into `directory`; an existing one only with `force`.
ExitCode gen_config(const std::string& directory, bool force);

// Asks a running daemon's /healthz. An empty url: the one the configuration listens on, in the way
// that it says (PROXY_PROTOCOL); any other is asked plainly.
ExitCode health(const config::Sources& sources, std::string url);

// The settings, or their errors on standard error. Warnings go there too.
bool load_or_explain(const config::Sources& sources, config::Settings& settings);

}  // namespace aifd::app
