// The command line of aifd, and nothing else.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "aifd/app/commands.hpp"
#include "aifd/app/version.hpp"

extern char** environ;

namespace {

using aifd::app::ExitCode;
using aifd::config::Sources;

// An option whose value becomes the setting of that name.
void add_setting(CLI::App& command, Sources& sources, const std::string& flag,
                 const std::string& variable, const std::string& help) {
  sources.flag_names[variable] = flag;
  command.add_option_function<std::string>(
      flag, [&sources, variable](const std::string& value) { sources.flags[variable] = value; },
      help);
}

void add_config_flags(CLI::App& command, Sources& sources) {
  add_setting(command, sources, "--host", "HOST", "Address to listen on (0.0.0.0)");
  add_setting(command, sources, "--port", "PORT", "Port to listen on; 0: any free one (8000)");
  add_setting(command, sources, "--workers", "WORKERS", "Threads that serve: 1, N or auto (1)");
  sources.flag_names["WEBUI"] = "--webui";
  command.add_flag_callback(
      "--webui", [&sources] { sources.flags["WEBUI"] = "true"; }, "Serve the web page");
  add_setting(command, sources, "--ui-port", "WEBUI_PORT", "Port of the web page (8001)");
  command.add_option("--config", sources.config_file,
                     "YAML file (openai-forward-config.yaml, where there is one)");
  command.add_option_function<std::string>(
      "--env-file",
      [&sources](const std::string& file) {
        sources.env_file = file;
        sources.env_file_required = true;
      },
      "File of NAME=value lines (.env)");
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

ExitCode dispatch(int argc, char** argv) {
  CLI::App app{
      "aifd forwards requests to LLM APIs: several upstreams on one port, keys, limits, "
      "cache, logs."};
  app.name("aifd");
  app.set_version_flag("--version", "aifd " + std::string(aifd::app::kVersion));
  app.require_subcommand(1);
  app.footer(
      "Settings come from openai-forward-config.yaml, .env, the environment and flags; later "
      "ones win.\n`aifd gen-config` writes a .env that explains them all.");
  ExitCode code = ExitCode::kOk;
  Sources sources;
  sources.environment = process_environment();

  CLI::App* run = app.add_subcommand("run", "Serve until SIGTERM or SIGINT");
  bool demo = false;
  add_config_flags(*run, sources);
  run->add_flag("--demo", demo, "Forward to a built-in model: needs no account anywhere");
  run->callback([&] { code = aifd::app::run(sources, demo); });

  CLI::App* check =
      app.add_subcommand("check", "Check the configuration and print what is in effect");
  add_config_flags(*check, sources);
  check->callback([&] { code = aifd::app::check(sources); });

  CLI::App* gen = app.add_subcommand("gen-config", "Write a commented .env to start from");
  gen->alias("gen_config");
  std::string directory = ".";
  bool force = false;
  gen->add_option("DIR", directory, "Where to write it (the working directory)");
  gen->add_flag("--force", force, "Replace a .env that is there");
  gen->callback([&] { code = aifd::app::gen_config(directory, force); });

  CLI::App* health = app.add_subcommand("health", "Ask a running aifd whether it is well");
  std::string url;
  add_config_flags(*health, sources);
  health->add_option("--url", url, "Its URL (from the configuration: http://127.0.0.1:8000)");
  health->callback([&] { code = aifd::app::health(sources, url); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << "aifd: internal fault: " << fault.what() << '\n';
    return ExitCode::kInternal;
  }
}
