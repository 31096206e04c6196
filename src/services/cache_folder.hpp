// A folder of one store on disk, which one process at a time may use.
#pragma once

#include <filesystem>
#include <string>

#include "cache_records.hpp"

namespace aifd::services {

// <root>/<name>, with <root>/<name>.lock beside it. What is made is for its owner alone.
class CacheFolder {
 public:
  CacheFolder(std::filesystem::path root, std::string name);
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  ~CacheFolder() { unlock(); }

  const std::filesystem::path& path() const noexcept { return path_; }

  // Makes the folder and takes it for this process, which may have it already. A lock goes with
  // its process, however that ends.
  RecordProblem lock();
  void unlock() noexcept;
  bool locked() const noexcept { return lock_ >= 0; }

  // Renames it to <name>.damaged-<time>, in place of an earlier one, and makes it anew.
  RecordProblem set_aside(std::string& done);
  // Deletes what is in it.
  RecordProblem empty();

 private:
  void remove_earlier_damaged() const;

  const std::filesystem::path root_;
  const std::string name_;
  const std::filesystem::path path_;
  int lock_ = -1;
};

// As errno tells it.
RecordTrouble file_trouble(const std::filesystem::path& path, int error);

}  // namespace aifd::services
