#include "aifd/app/convert_command.hpp"

#include "aifd/app/commands.hpp"
#include "aifd/app/config_flags.hpp"

namespace aifd::app {

void add_convert_flags(CLI::App& app, config::Sources& sources, convert::Command& command) {
  add_config_flags(app, sources);
  app.add_option("--log-folder", command.log_folder,
                 "A folder of chat logs, or of such folders (those of all openai routes)");
  app.add_option("--target", command.target, "The file to write (chat_<prefix>.json, beside)");
  app.add_option("--format", command.format,
                 "json: a list; jsonl: one a line; openai: for fine-tuning, one a line (json)")
      ->check(CLI::IsMember({"json", "jsonl", "openai"}));
}

ExitCode convert(const config::Sources& sources, const convert::Command& command) {
  config::Settings settings;
  if (command.log_folder.empty() && !load_or_explain(sources, settings)) return kBadConfig;
  switch (convert::run(command, settings)) {
    case convert::Ending::good:
      return kOk;
    case convert::Ending::failed:
      return kFailed;
    case convert::Ending::usage:
      return kUsage;
  }
  return kInternal;
}

}  // namespace aifd::app
