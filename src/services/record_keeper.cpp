#include "record_keeper.hpp"

#include <exception>
#include <utility>

#include "aifd/base/log.hpp"
#include "aifd/services/cache_entry_codec.hpp"

namespace aifd::services {
namespace {

// What the libraries throw, for want of memory, is trouble like any other.
template <class Work>
RecordProblem guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& error) {
    return RecordTrouble{RecordTrouble::Kind::unusable, error.what()};
  }
}

// Of what leaves the records closed, or in doubt, where it fails.
RecordProblem as_unusable(RecordProblem problem) {
  if (problem && problem->kind == RecordTrouble::Kind::unwritable) {
    problem->kind = RecordTrouble::Kind::unusable;
  }
  return problem;
}

void warn_in_log(const std::string& line) {
  log::warn("{}", line);
}

}  // namespace

RecordKeeper::RecordKeeper(std::unique_ptr<CacheRecords> records, Options options)
    : records_(std::move(records)), in_log_(!options.warn), options_([&] {
        if (!options.warn) options.warn = warn_in_log;
        return std::move(options);
      }()) {}

RecordKeeper::~RecordKeeper() {
  if (open_) records_->close();
}

bool RecordKeeper::ready() {
  if (!open_ && options_.clock() >= try_at_) try_open();
  return open_;
}

// A damaged one is recovered from once; where it is damaged still, that takes more than trying.
void RecordKeeper::try_open() {
  RecordProblem problem = guarded([this] { return records_->open(); });
  if (problem && problem->kind == Kind::damaged) {
    mend(*problem);
    return;
  }
  if (problem) return go_away(*problem);
  note_open();
}

void RecordKeeper::mend(const RecordTrouble& trouble) {
  open_ = false;
  records_->close();
  std::string done;
  if (RecordProblem problem = guarded([&] { return records_->recover(done); })) {
    return go_away({problem->kind, trouble.what + "; " + problem->what});
  }
  tell_now_and_then(told_damaged_, "is damaged (" + trouble.what + "): " + done);
  if (RecordProblem problem = guarded([this] { return records_->open(); })) {
    records_->close();
    return go_away(*problem);
  }
  note_open();
}

void RecordKeeper::note_open() {
  open_ = true;
  trouble_.clear();
  if (std::exchange(told_away_, false)) {
    options_.warn("the answer cache is back: " + records_->name());
  } else if (in_log_) {
    log::info("the answer cache is open: {}", records_->name());
  }
}

void RecordKeeper::go_away(const RecordTrouble& trouble) {
  records_->close();
  open_ = false;
  try_at_ = options_.clock() + kRetryAfter;
  trouble_ = trouble.what;
  if (std::exchange(told_away_, true)) return;
  options_.warn("the answer cache, " + records_->name() + ", cannot be used, and is tried again " +
                "every minute: " + trouble.what);
}

void RecordKeeper::tell_now_and_then(Clock::time_point& told, const std::string& what) {
  const Clock::time_point now = options_.clock();
  if (told != Clock::time_point::min() && now - told < kQuietFor) return;
  told = now;
  options_.warn("the answer cache, " + records_->name() + ", " + what);
}

// Whether all went well.
bool RecordKeeper::note(RecordProblem problem) {
  if (!problem) return true;
  switch (problem->kind) {
    case Kind::unwritable:
      tell_now_and_then(told_unwritable_,
                        "cannot be written, answers are not kept: " + problem->what);
      break;
    case Kind::damaged:
      mend(*problem);
      break;
    case Kind::locked:
    case Kind::unusable:
      go_away(*problem);
      break;
  }
  return false;
}

CacheEntryPtr RecordKeeper::find(const CacheKey& key) {
  if (!ready()) return nullptr;
  std::optional<std::string> bytes;
  std::optional<CacheEntry> entry;
  const auto read = [&]() -> RecordProblem {
    RecordProblem problem = records_->read(key, bytes);
    if (!problem && bytes) entry = decode_cache_entry(key, *bytes);
    return problem;
  };
  if (!note(guarded(read)) || !bytes) return nullptr;
  if (!entry) tell_now_and_then(told_damaged_, "holds a damaged record, which is dropped");
  if (!entry || entry->expired(options_.wall_clock())) {
    note(guarded([&] { return records_->erase(key); }));
    return nullptr;
  }
  return std::make_shared<const CacheEntry>(*std::move(entry));
}

bool RecordKeeper::store(std::span<const CacheRecord> records) {
  return ready() && note(guarded([&] { return records_->write(records); }));
}

void RecordKeeper::clear() {
  if (ready()) note(as_unusable(guarded([this] { return records_->clear(); })));
}

void RecordKeeper::do_chores() {
  if (!ready()) return;
  const std::int64_t now = options_.wall_clock();
  if (!note(guarded([&] { return records_->sweep(now, kSweepAtOnce); }))) return;
  note(as_unusable(guarded([this] { return records_->sync(); })));
}

CacheRecords::Stat RecordKeeper::stat() const {
  return open_ ? records_->stat() : CacheRecords::Stat{};
}

}  // namespace aifd::services
