// How LevelDB reads its files, and which of them it had better not read.
#pragma once

#include <leveldb/env.h>

#include <filesystem>
#include <string>

namespace aifd::services {

// The system's files, but tables are read by pread: LevelDB's own way maps them, and dies by SIGBUS
// where one is cut while it is open.
class UnmappedFiles final : public leveldb::EnvWrapper {
 public:
  UnmappedFiles() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewRandomAccessFile(const std::string& name,
                                      leveldb::RandomAccessFile** result) override;
};

// Whether a table's last bytes point beyond its end. LevelDB asks for as much memory as they say,
// before any checksum, and ends the process where it does not get it. What is wrong, or "".
// https://github.com/google/leveldb/blob/1.23/doc/table_format.md
std::string find_leveldb_damage(const std::filesystem::path& folder);

}  // namespace aifd::services
