// Records in LMDB.
#pragma once

#include <lmdb.h>

#include <memory>
#include <string>

#include "cache_folder.hpp"
#include "cache_records.hpp"

namespace aifd::services {

// One file, mapped for reading and written by pwrite. LMDB's own lock is off: one process at a time
// has the folder, and one thread of it.
class LmdbRecords final : public CacheRecords {
 public:
  LmdbRecords(const std::filesystem::path& root, std::uint64_t max_bytes);
  ~LmdbRecords() override { close(); }

  std::string name() const override;
  RecordProblem open() override;
  void close() noexcept override;
  RecordProblem recover(std::string& done) override;
  RecordProblem read(const CacheKey& key, std::optional<std::string>& bytes) override;
  RecordProblem write(std::span<const CacheRecord> records) override;
  RecordProblem erase(const CacheKey& key) override;
  RecordProblem clear() override;
  RecordProblem sweep(std::int64_t now, std::size_t most) override;
  RecordProblem sync() override;
  Stat stat() const override { return stat_; }

 private:
  RecordProblem check_access() const;
  int open_environment();
  RecordProblem check_size();
  RecordProblem told(int code) const;
  RecordProblem write(std::span<const CacheRecord> records, std::uint64_t needed);
  RecordProblem shrink_to(std::uint64_t max_bytes);
  template <class Work>
  RecordProblem transact(unsigned flags, Work work);

  CacheFolder folder_;
  const std::filesystem::path file_;
  const std::uint64_t max_bytes_;
  MDB_env* environment_ = nullptr;
  MDB_dbi database_ = 0;
  std::uint64_t file_bytes_ = 0;  // it never gets smaller of itself
  std::string sweep_from_;        // the key to go on from
  Stat stat_;
};

}  // namespace aifd::services
