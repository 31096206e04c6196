// Records in LevelDB.
#pragma once

#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>

#include <memory>
#include <string>

#include "cache_folder.hpp"
#include "cache_records.hpp"
#include "leveldb_files.hpp"

namespace aifd::services {

// A record's key is the cache's, as it is. LevelDB knows no oldest record: where there are too many
// bytes, those go whose keys begin with the byte whose turn it is, which is as good as any as keys
// are digests.
class LevelDbRecords final : public CacheRecords {
 public:
  LevelDbRecords(const std::filesystem::path& root, std::uint64_t max_bytes);
  ~LevelDbRecords() override { close(); }

  std::string name() const override;
  RecordProblem open() override;
  void close() noexcept override;
  RecordProblem recover(std::string& done) override;  // mends it once; after that, moves it aside
  RecordProblem read(const CacheKey& key, std::optional<std::string>& bytes) override;
  RecordProblem write(std::span<const CacheRecord> records) override;
  RecordProblem erase(const CacheKey& key) override;
  RecordProblem clear() override;
  RecordProblem sweep(std::int64_t now, std::size_t most) override;
  RecordProblem sync() override;
  Stat stat() const override { return stat_; }

 private:
  leveldb::Options options();
  RecordProblem open_database();
  bool mend();
  RecordProblem written(const leveldb::Status& status);
  RecordProblem make_room();
  void measure();

  CacheFolder folder_;
  const std::uint64_t max_bytes_;
  UnmappedFiles files_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> database_;
  bool mended_ = false;
  bool write_failed_ = false;  // and then fails until it is opened again
  unsigned turn_ = 0;          // the next byte to make room
  std::string sweep_from_;
  Stat stat_;
};

}  // namespace aifd::services
