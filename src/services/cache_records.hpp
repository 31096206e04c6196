// Where a store on disk keeps its records: what LMDB and LevelDB have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "aifd/services/cache_store.hpp"

namespace aifd::services {

struct RecordTrouble {
  enum class Kind {
    locked,      // another process has it
    unusable,    // cannot be opened or read: may pass
    unwritable,  // cannot be written, no room: what is there can still be read
    damaged,     // not to be used before recover()
  };
  Kind kind = Kind::unusable;
  std::string what;  // for a person
};

using RecordProblem = std::optional<RecordTrouble>;  // nullopt: all went well

struct CacheRecord {
  CacheKey key{};
  std::string bytes;
  std::int64_t stored_at = 0;
};

// Blocking, used on one thread. All but open, close and recover are called between a good open and
// close only.
class CacheRecords {
 public:
  CacheRecords() = default;
  CacheRecords(const CacheRecords&) = delete;
  CacheRecords& operator=(const CacheRecords&) = delete;
  virtual ~CacheRecords() = default;

  // What it is called in the log: "LMDB in ./FLAXKV_DB/lmdb".
  virtual std::string name() const = 0;

  // Makes what is missing. After a failure it is closed.
  virtual RecordProblem open() = 0;
  virtual void close() noexcept = 0;

  // Of a closed one that is damaged: mends it, or moves it aside. What was done, for a person,
  // comes in `done`.
  virtual RecordProblem recover(std::string& done) = 0;

  // Leaves `bytes` empty where there is none of this key.
  virtual RecordProblem read(const CacheKey& key, std::optional<std::string>& bytes) = 0;
  // All or, after a failure, perhaps none; others may be let go to make room.
  virtual RecordProblem write(std::span<const CacheRecord> records) = 0;
  virtual RecordProblem erase(const CacheKey& key) = 0;
  // After a failure it may be closed; so after one of sync().
  virtual RecordProblem clear() = 0;

  // Looks at up to `most` records, from where it left off, and drops those that have expired.
  virtual RecordProblem sweep(std::int64_t now, std::size_t most) = 0;
  // Brings what was written to the disk.
  virtual RecordProblem sync() = 0;

  struct Stat {
    std::optional<std::uint64_t> entries;
    std::uint64_t bytes = 0;
    std::uint64_t evicted = 0;
  };
  virtual Stat stat() const = 0;
};

}  // namespace aifd::services
