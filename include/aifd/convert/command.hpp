// `aifd convert`: what was asked and answered, out of the conversation log.
#pragma once

#include <string>

#include "aifd/config/settings.hpp"

namespace aifd::convert {

struct Command {
  std::string log_folder;  // empty: those of the settings' openai routes
  std::string target;      // empty: beside the folder
  std::string format = "json";
};

enum class Ending {
  good,
  failed,
  usage,  // it cannot be done as it was asked
};

// Says on standard output what became of which folder, and on standard error what had to be left
// out; that is no failure. The settings count only where the command names no folder.
Ending run(const Command& command, const config::Settings& settings);

}  // namespace aifd::convert
