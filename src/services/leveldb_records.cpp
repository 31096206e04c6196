#include "leveldb_records.hpp"

#include <leveldb/iterator.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "aifd/services/cache_entry_codec.hpp"

namespace aifd::services {
namespace {

using Kind = RecordTrouble::Kind;

constexpr int kFilterBits = 10;  // a record: one look-up in a hundred of none reads the disk
constexpr int kOpenFiles = 500;
constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 20;

leveldb::Slice slice_of(const CacheKey& key) noexcept {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

leveldb::Slice slice_of(std::string_view text) noexcept {
  return {text.data(), text.size()};
}

std::string_view text_of(const leveldb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}

leveldb::ReadOptions checked_reads(bool keep) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = keep;
  return options;
}

RecordProblem told(const leveldb::Status& status, Kind otherwise) {
  if (status.ok()) return std::nullopt;
  return RecordTrouble{status.IsIOError() ? otherwise : Kind::damaged, status.ToString()};
}

}  // namespace

LevelDbRecords::LevelDbRecords(const std::filesystem::path& root, std::uint64_t max_bytes)
    : folder_(root, "leveldb"),
      max_bytes_(std::max(max_bytes, kLeastBytes)),
      filter_(leveldb::NewBloomFilterPolicy(kFilterBits)) {}

std::string LevelDbRecords::name() const {
  return "LevelDB in " + folder_.path().string();
}

leveldb::Options LevelDbRecords::options() {
  leveldb::Options options;
  options.env = &files_;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.max_open_files = kOpenFiles;
  options.filter_policy = filter_.get();
  return options;
}

RecordProblem LevelDbRecords::open() {
  if (RecordProblem problem = folder_.lock()) return problem;
  const std::string damage = find_leveldb_damage(folder_.path());
  if (!damage.empty()) return RecordTrouble{Kind::damaged, damage};
  return open_database();
}

RecordProblem LevelDbRecords::open_database() {
  leveldb::DB* database = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options(), folder_.path().string(), &database);
  database_.reset(database);
  if (!status.ok()) return told(status, Kind::unusable);
  write_failed_ = false;
  measure();
  return std::nullopt;
}

void LevelDbRecords::close() noexcept {
  database_.reset();
  folder_.unlock();
}

RecordProblem LevelDbRecords::recover(std::string& done) {
  if (RecordProblem problem = folder_.lock()) return problem;
  if (!std::exchange(mended_, true) && mend()) {
    done = "it was mended";
    return std::nullopt;
  }
  return folder_.set_aside(done);
}

bool LevelDbRecords::mend() {
  if (!find_leveldb_damage(folder_.path()).empty()) return false;
  if (!leveldb::RepairDB(folder_.path().string(), options()).ok()) return false;
  const bool good = !open_database();
  database_.reset();
  return good;
}

RecordProblem LevelDbRecords::read(const CacheKey& key, std::optional<std::string>& bytes) {
  std::string found;
  const leveldb::Status status = database_->Get(checked_reads(true), slice_of(key), &found);
  if (status.IsNotFound()) return std::nullopt;
  if (status.ok()) bytes = std::move(found);
  return told(status, Kind::unusable);
}

RecordProblem LevelDbRecords::written(const leveldb::Status& status) {
  write_failed_ = write_failed_ || !status.ok();
  return told(status, Kind::unwritable);
}

RecordProblem LevelDbRecords::write(std::span<const CacheRecord> records) {
  leveldb::WriteBatch batch;
  std::uint64_t bytes = 0;
  for (const CacheRecord& record : records) {
    batch.Put(slice_of(record.key), slice_of(record.bytes));
    bytes += record.bytes.size();
  }
  if (bytes > max_bytes_) return RecordTrouble{Kind::unwritable, "an answer is too large"};
  if (RecordProblem problem = written(database_->Write({}, &batch))) return problem;
  measure();
  return stat_.bytes > max_bytes_ ? make_room() : std::nullopt;
}

RecordProblem LevelDbRecords::make_room() {
  const std::string first(1, static_cast<char>(turn_));
  turn_ = (turn_ + 1) % 256;
  const std::string end(1, static_cast<char>(turn_));
  leveldb::WriteBatch batch;
  const std::unique_ptr<leveldb::Iterator> record(database_->NewIterator(checked_reads(false)));
  for (record->Seek(first); record->Valid() && record->key().starts_with(first); record->Next()) {
    batch.Delete(record->key());
    ++stat_.evicted;
  }
  if (!record->status().ok()) return told(record->status(), Kind::unusable);
  if (RecordProblem problem = written(database_->Write({}, &batch))) return problem;
  const leveldb::Slice from(first);
  const leveldb::Slice until(end);
  database_->CompactRange(&from, turn_ == 0 ? nullptr : &until);
  measure();
  return std::nullopt;
}

RecordProblem LevelDbRecords::erase(const CacheKey& key) {
  return written(database_->Delete({}, slice_of(key)));
}

RecordProblem LevelDbRecords::clear() {
  database_.reset();
  if (RecordProblem problem = folder_.empty()) return problem;
  return open();
}

RecordProblem LevelDbRecords::sweep(std::int64_t now, std::size_t most) {
  leveldb::WriteBatch batch;
  const std::unique_ptr<leveldb::Iterator> record(database_->NewIterator(checked_reads(false)));
  for (record->Seek(sweep_from_); record->Valid() && most > 0; record->Next(), --most) {
    const auto times = cache_record_times(text_of(record->value()));
    const bool gone = !times || (times->expires_at != 0 && times->expires_at <= now);
    if (gone) batch.Delete(record->key());
  }
  sweep_from_ = record->Valid() ? record->key().ToString() : "";
  if (!record->status().ok()) return told(record->status(), Kind::unusable);
  return written(database_->Write({}, &batch));
}

// A crash of the whole machine may take what LevelDB has not brought to the disk by itself, and no
// more; so there is nothing to do but to begin again where the disk was full.
RecordProblem LevelDbRecords::sync() {
  if (!write_failed_) return std::nullopt;
  database_.reset();
  return open();
}

void LevelDbRecords::measure() {
  const std::string end(CacheKey{}.size() + 1, '\xff');
  const leveldb::Range all(leveldb::Slice(), end);
  database_->GetApproximateSizes(&all, 1, &stat_.bytes);
}

}  // namespace aifd::services
