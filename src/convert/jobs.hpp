// Which folders `aifd convert` reads, and where it writes.
#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "aifd/config/settings.hpp"
#include "aifd/convert/command.hpp"

namespace aifd::convert {

struct Job {
  std::filesystem::path folder;
  std::filesystem::path target;
};

struct Failure {
  Ending ending;
  std::string why;
};

// <log folder>/<prefix>/chat of each openai route, whether it is there or not.
std::variant<std::vector<Job>, Failure> jobs_of_routes(const config::Settings& settings,
                                                       const Command& command);

// command.log_folder itself, or where there are no logs in it its folders <prefix>/chat or chat.
std::variant<std::vector<Job>, Failure> jobs_of_folder(const Command& command);

}  // namespace aifd::convert
