// Whole small text files: the .env, the YAML file, secrets, PEM files.
#pragma once

#include <string>

#include "aifd/base/error.hpp"

namespace aifd::config {

// The file's content without a byte order mark. Refuses directories, files over 1 MiB and content
// with NUL bytes (UTF-16, mostly). Error texts follow the file's name.
Result<std::string> read_text_file(const std::string& path);

bool file_exists(const std::string& path) noexcept;

}  // namespace aifd::config
