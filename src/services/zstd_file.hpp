// Files compressed with zstd.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

namespace aifd::services {

// Makes `target` of `source`, or nothing: what was written so far is at `unfinished` and goes where
// that fails. For its owner alone; it has the source's time. Gives what is wrong, or an empty text.
// Ends early, with "stopped", when `stop` is set.
std::string compress_file(const std::filesystem::path& source, const std::filesystem::path& target,
                          const std::filesystem::path& unfinished, const std::atomic<bool>& stop);

}  // namespace aifd::services
