// Which folders `aifd convert` reads, and where it writes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aifd/app/convert_command.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::app {

struct ConvertJob {
  std::filesystem::path folder;
  std::filesystem::path target;
};

struct ConvertFailure {
  ExitCode code;
  std::string why;
};

// <log folder>/<prefix>/chat of each openai route, whether it is there or not.
std::variant<std::vector<ConvertJob>, ConvertFailure> jobs_of_routes(
    const config::Settings& settings, const ConvertCommand& command);

// command.log_folder itself, or where there are no logs in it its folders <prefix>/chat or chat.
std::variant<std::vector<ConvertJob>, ConvertFailure> jobs_of_folder(const ConvertCommand& command);

}  // namespace aifd::app
