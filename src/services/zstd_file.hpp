// Files compressed with zstd.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

namespace aifd::services {

// Makes `target` of `source`, which goes, or nothing: what was written so far is at `unfinished`
// and goes where that fails. For its owner alone; it has the source's time. Gives what is wrong, or
// an empty text. Ends early, with "stopped", when `stop` is set.
//
// Both are locked meanwhile, by flock(2). Where somebody else has locked one of them (another
// daemon still writes to the source, or packs it too), nothing is done.
std::string compress_file(const std::filesystem::path& source, const std::filesystem::path& target,
                          const std::filesystem::path& unfinished, const std::atomic<bool>& stop);

// What a kill left, unless it is locked: then somebody is writing it.
void remove_unfinished(const std::filesystem::path& unfinished);

}  // namespace aifd::services
