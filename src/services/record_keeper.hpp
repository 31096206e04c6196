// Entries in records on disk: opens them, copes with whatever is wrong with them, and tells the log
// of both, of trouble once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "aifd/base/clock.hpp"
#include "cache_records.hpp"

namespace aifd::services {

// Used on one thread. While the records are away, nothing is found and nothing is stored; they are
// tried again every minute.
class RecordKeeper {
 public:
  static constexpr std::chrono::minutes kRetryAfter{1};
  static constexpr std::chrono::hours kQuietFor{1};  // of damage and lack of room, in the log
  static constexpr std::size_t kSweepAtOnce = 1000;

  struct Options {
    std::function<std::int64_t()> wall_clock = wall_clock_seconds;
    std::function<Clock::time_point()> clock = &Clock::now;
    std::function<void(const std::string&)> warn;  // the log's where it is empty
  };

  RecordKeeper(std::unique_ptr<CacheRecords> records, Options options);
  ~RecordKeeper();
  RecordKeeper(const RecordKeeper&) = delete;
  RecordKeeper& operator=(const RecordKeeper&) = delete;

  // Whether the records are open; opens them where it is time to try.
  bool ready();

  CacheEntryPtr find(const CacheKey& key);
  // False: none of them was stored.
  bool store(std::span<const CacheRecord> records);
  void clear();
  // To be called every now and then: sweeps a part, and syncs.
  void do_chores();

  CacheRecords::Stat stat() const;
  // Why the records are away; empty: they are not.
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  using Kind = RecordTrouble::Kind;

  bool note(RecordProblem problem);
  void try_open();
  void note_open();
  void mend(const RecordTrouble& trouble);
  void go_away(const RecordTrouble& trouble);
  void tell_now_and_then(Clock::time_point& told, const std::string& what);

  const std::unique_ptr<CacheRecords> records_;
  const bool in_log_;  // is where all is told, and then also that they are open
  const Options options_;
  bool open_ = false;
  Clock::time_point try_at_ = Clock::time_point::min();
  std::string trouble_;
  bool told_away_ = false;
  Clock::time_point told_unwritable_ = Clock::time_point::min();
  Clock::time_point told_damaged_ = Clock::time_point::min();
};

}  // namespace aifd::services
