#include "aifd/app/config_flags.hpp"

extern char** environ;

namespace aifd::app {
namespace {

using config::Sources;

// An option whose value becomes the setting of that name.
void add_setting(CLI::App& command, Sources& sources, const std::string& flag,
                 const std::string& variable, const std::string& help) {
  sources.flag_names[variable] = flag;
  command.add_option_function<std::string>(
      flag, [&sources, variable](const std::string& value) { sources.flags[variable] = value; },
      help);
}

}  // namespace

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

}  // namespace aifd::app
