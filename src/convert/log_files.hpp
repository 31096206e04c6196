// The files of one log: the current one and those that were rotated away.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "descriptor.hpp"
#include "log_source.hpp"

namespace aifd::convert {

struct LogFile {
  std::filesystem::path path;
  Packing packing = Packing::none;
  Descriptor descriptor;    // none where too many are open: see open_again()
  std::uint64_t bytes = 0;  // as it lies there
};

// Whether it is a log's by its name: *.log, *.log.gz, *.log.zst.
bool is_log_name(const std::filesystem::path& path);

bool has_logs(const std::filesystem::path& folder);

// When a file with this name was rotated, as digits that sort ("20261128033542123456"); empty where
// the name does not say. "chat.2026-11-28_03-35-42_123456.log", and with ".2" behind the time where
// loguru found that name taken.
std::string rotation_time(const std::filesystem::path& path);

// The folder's logs in the order of time: by the time in their names, or else of their first
// record, and chat.log last. Of a file that is there packed and unpacked, the latter. They are
// open, as many as the process may have, so that a daemon which rotates them meanwhile changes
// nothing. An error text where the folder or one of them cannot be read.
std::variant<std::vector<LogFile>, std::string> open_logs(const std::filesystem::path& folder);

// Opens it where it is not open. It may have been packed since: then it gets that name. Gives an
// errno, or 0.
int open_again(LogFile& file);

}  // namespace aifd::convert
