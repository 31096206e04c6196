#include "lmdb_records.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "aifd/services/cache_entry_codec.hpp"
#include "lmdb_check.hpp"

namespace aifd::services {
namespace {

using Kind = RecordTrouble::Kind;

constexpr char kEntry = 'e';
constexpr char kAge = 'a';
constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kSpareBytes = std::uint64_t{16} << 20;
constexpr std::size_t kPageBytes = 4096;  // about: for estimates
constexpr std::size_t kMostEvictedAtOnce = 4096;

std::string entry_key(const CacheKey& key) {
  std::string text(1, kEntry);
  text.append(reinterpret_cast<const char*>(key.data()), key.size());
  return text;
}

// `entry` is an entry's key with its letter.
std::string age_key(std::int64_t stored_at, std::string_view entry) {
  std::string text(1, kAge);
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(static_cast<std::uint64_t>(stored_at) >> shift));
  }
  text.append(entry.substr(1));
  return text;
}

MDB_val value_of(std::string_view text) noexcept {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view text_of(const MDB_val& value) noexcept {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// What LMDB gives and takes for the newest state: pages in use, and what comes on top until pages
// that were let go can be used again.
std::uint64_t map_bytes(std::uint64_t max_bytes) noexcept {
  return (max_bytes + max_bytes / 4 + kSpareBytes) / kPageBytes * kPageBytes;
}

Kind kind_of(int code) noexcept {
  switch (code) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Kind::unwritable;
    case MDB_PANIC:  // a write failed half way: the next open finds the state before it
      return Kind::unusable;
    default:
      return code < 0 ? Kind::damaged : Kind::unusable;
  }
}

}  // namespace

// Aborted unless committed. The functions give LMDB's codes.
class LmdbRecords::Transaction {
 public:
  Transaction(MDB_env* environment, unsigned flags, MDB_dbi database) : database_(database) {
    code_ = ::mdb_txn_begin(environment, nullptr, flags, &handle_);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    if (handle_) ::mdb_txn_abort(handle_);
  }

  int begun() const noexcept { return code_; }
  MDB_txn* handle() const noexcept { return handle_; }
  int commit() { return ::mdb_txn_commit(std::exchange(handle_, nullptr)); }

  int get(std::string_view key, std::string_view& found) {
    MDB_val wanted = value_of(key);
    MDB_val value{};
    const int code = ::mdb_get(handle_, database_, &wanted, &value);
    if (code == 0) found = text_of(value);
    return code;
  }

  int put(std::string_view key, std::string_view bytes) {
    MDB_val wanted = value_of(key);
    MDB_val value = value_of(bytes);
    return ::mdb_put(handle_, database_, &wanted, &value, 0);
  }

  // Also of what is not there.
  int drop(std::string_view key) {
    MDB_val wanted = value_of(key);
    const int code = ::mdb_del(handle_, database_, &wanted, nullptr);
    return code == MDB_NOTFOUND ? 0 : code;
  }

  // An entry, and its age.
  int drop_entry(const std::string& key) {
    std::string_view old;
    if (const int code = get(key, old)) return code == MDB_NOTFOUND ? 0 : code;
    const auto times = cache_record_times(old);
    if (const int code = times ? drop(age_key(times->stored_at, key)) : 0) return code;
    return drop(key);
  }

  int put_entry(const CacheRecord& record) {
    const std::string key = entry_key(record.key);
    if (const int code = drop_entry(key)) return code;
    if (const int code = put(key, record.bytes)) return code;
    return put(age_key(record.stored_at, key), {});
  }

  // The first key from `from` on.
  int first_from(std::string_view from, std::string& key) {
    MDB_cursor* cursor = nullptr;
    if (const int code = ::mdb_cursor_open(handle_, database_, &cursor)) return code;
    MDB_val found = value_of(from);
    MDB_val value{};
    const int code = ::mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
    if (code == 0) key = text_of(found);
    ::mdb_cursor_close(cursor);
    return code;
  }

  int drop_oldest(std::uint64_t& dropped) {
    std::string oldest;
    const int code = first_from(std::string(1, kAge), oldest);
    if (code != 0) return code;
    if (oldest.size() != 1 + 8 + CacheKey{}.size() || oldest.front() != kAge) return MDB_NOTFOUND;
    ++dropped;
    if (const int failed = drop(kEntry + oldest.substr(9))) return failed;
    return drop(oldest);
  }

  // Of up to `most` entries from the key `from` on, which becomes the next one's; empty at the end.
  int find_expired(std::string& from, std::int64_t now, std::size_t most,
                   std::vector<std::string>& expired) {
    MDB_cursor* cursor = nullptr;
    if (const int code = ::mdb_cursor_open(handle_, database_, &cursor)) return code;
    MDB_val key = value_of(from);
    MDB_val value{};
    int code = ::mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (; code == 0 && most > 0; --most) {
      const auto times = cache_record_times(text_of(value));
      const bool gone = !times || (times->expires_at != 0 && times->expires_at <= now);
      if (gone) expired.emplace_back(text_of(key));
      code = ::mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    from = code == 0 ? std::string(text_of(key)) : "";
    ::mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
  }

  std::uint64_t bytes() const {
    MDB_stat stat{};
    if (::mdb_stat(handle_, database_, &stat) != 0) return 0;
    return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
  }

  std::uint64_t keys() const {
    MDB_stat stat{};
    return ::mdb_stat(handle_, database_, &stat) == 0 ? stat.ms_entries : 0;
  }

  // Lets the oldest go, but not too many at once.
  int make_room(std::uint64_t needed, std::uint64_t max_bytes, std::uint64_t& dropped) {
    for (std::size_t i = 0; i < kMostEvictedAtOnce && bytes() + needed > max_bytes; ++i) {
      if (const int code = drop_oldest(dropped)) return code == MDB_NOTFOUND ? 0 : code;
    }
    return 0;
  }

 private:
  MDB_txn* handle_ = nullptr;
  const MDB_dbi database_;
  int code_ = 0;
};

LmdbRecords::LmdbRecords(const std::filesystem::path& root, std::uint64_t max_bytes)
    : folder_(root, "lmdb"),
      file_(folder_.path() / "data.mdb"),
      max_bytes_(std::max(max_bytes, kLeastBytes)) {}

std::string LmdbRecords::name() const {
  return "LMDB in " + folder_.path().string();
}

RecordProblem LmdbRecords::open() {
  if (RecordProblem problem = folder_.lock()) return problem;
  const int descriptor = ::open(file_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno != ENOENT) return file_trouble(file_, errno);
  if (descriptor >= 0) ::close(descriptor);
  const std::string damage = find_lmdb_damage(file_);
  if (!damage.empty()) return RecordTrouble{Kind::damaged, damage};
  if (RecordProblem problem = told(open_environment())) {
    close();
    return problem;
  }
  file_bytes_ = 0;
  return check_size();
}

// The map takes addresses, not memory; the file grows as pages are used. Without MDB_NOSYNC each
// write would wait for the disk: what a crash of the whole machine leaves is checked at the next
// open, and each record by its checksum.
int LmdbRecords::open_environment() {
  if (const int code = ::mdb_env_create(&environment_)) return code;
  if (const int code = ::mdb_env_set_mapsize(environment_, map_bytes(max_bytes_))) return code;
  constexpr unsigned kFlags = MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD;
  const std::string folder = folder_.path().string();
  if (const int code = ::mdb_env_open(environment_, folder.c_str(), kFlags, 0600)) return code;
  Transaction transaction(environment_, 0, 0);
  if (const int code = transaction.begun()) return code;
  if (const int code = ::mdb_dbi_open(transaction.handle(), nullptr, 0, &database_)) return code;
  return transaction.commit();
}

void LmdbRecords::close() noexcept {
  if (environment_) ::mdb_env_close(std::exchange(environment_, nullptr));
  folder_.unlock();
}

RecordProblem LmdbRecords::recover(std::string& done) {
  if (RecordProblem problem = folder_.lock()) return problem;
  return folder_.set_aside(done);
}

RecordProblem LmdbRecords::told(int code) const {
  if (code == 0) return std::nullopt;
  return RecordTrouble{kind_of(code), file_.string() + ": " + ::mdb_strerror(code)};
}

// Of a file that was cut while it is mapped, a read beyond its end would be fatal.
RecordProblem LmdbRecords::check_size() {
  struct stat info {};
  int descriptor = -1;
  if (const int code = ::mdb_env_get_fd(environment_, &descriptor)) return told(code);
  if (::fstat(descriptor, &info) != 0) return file_trouble(file_, errno);
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  if (bytes < file_bytes_) return RecordTrouble{Kind::damaged, "it was cut while in use"};
  file_bytes_ = bytes;
  return std::nullopt;
}

template <class Work>
RecordProblem LmdbRecords::transact(unsigned flags, Work work) {
  if (RecordProblem problem = check_size()) return problem;
  Transaction transaction(environment_, flags, database_);
  if (const int code = transaction.begun()) return told(code);
  if (const int code = work(transaction)) return told(code);
  const std::uint64_t entries = transaction.keys() / 2;
  const std::uint64_t bytes = transaction.bytes();
  if (const int code = transaction.commit()) return told(code);
  stat_.entries = entries;
  stat_.bytes = bytes;
  return check_size();
}

RecordProblem LmdbRecords::read(const CacheKey& key, std::optional<std::string>& bytes) {
  return transact(MDB_RDONLY, [&](Transaction& transaction) {
    std::string_view found;
    const int code = transaction.get(entry_key(key), found);
    if (code == 0) bytes.emplace(found);
    return code == MDB_NOTFOUND ? 0 : code;
  });
}

// On a full disk, and where free pages are not in one piece, letting go of some more helps: in two
// steps, as LMDB uses pages again that were let go two transactions ago.
RecordProblem LmdbRecords::write(std::span<const CacheRecord> records) {
  std::uint64_t needed = 0;
  for (const CacheRecord& record : records) needed += record.bytes.size() + kPageBytes;
  if (needed > max_bytes_) return RecordTrouble{Kind::unwritable, "an answer is too large"};
  RecordProblem problem = write(records, needed);
  if (!problem || problem->kind != Kind::unwritable) return problem;
  if (needed > stat_.bytes / 8) return problem;  // not worth most of the others
  for (int step = 0; step < 2; ++step) {
    if (RecordProblem failed = shrink_to(stat_.bytes - 2 * needed)) return failed;
  }
  return write(records, needed);
}

RecordProblem LmdbRecords::write(std::span<const CacheRecord> records, std::uint64_t needed) {
  std::uint64_t dropped = 0;
  RecordProblem problem = transact(0, [&](Transaction& transaction) {
    if (int code = transaction.make_room(needed, max_bytes_, dropped)) return code;
    for (const CacheRecord& record : records) {
      if (int code = transaction.put_entry(record)) return code;
    }
    return 0;
  });
  if (!problem) stat_.evicted += dropped;
  return problem;
}

RecordProblem LmdbRecords::shrink_to(std::uint64_t max_bytes) {
  std::uint64_t dropped = 0;
  RecordProblem problem = transact(
      0, [&](Transaction& transaction) { return transaction.make_room(0, max_bytes, dropped); });
  if (!problem) stat_.evicted += dropped;
  return problem;
}

RecordProblem LmdbRecords::erase(const CacheKey& key) {
  return transact(0,
                  [&](Transaction& transaction) { return transaction.drop_entry(entry_key(key)); });
}

RecordProblem LmdbRecords::clear() {
  ::mdb_env_close(std::exchange(environment_, nullptr));
  if (RecordProblem problem = folder_.empty()) return problem;
  stat_.entries = 0;
  stat_.bytes = 0;
  return open();
}

RecordProblem LmdbRecords::sweep(std::int64_t now, std::size_t most) {
  return transact(0, [&](Transaction& transaction) {
    std::vector<std::string> expired;
    if (sweep_from_.empty()) sweep_from_ = kEntry;
    if (const int code = transaction.find_expired(sweep_from_, now, most, expired)) return code;
    for (const std::string& key : expired) {
      if (const int code = transaction.drop_entry(key)) return code;
    }
    return 0;
  });
}

RecordProblem LmdbRecords::sync() {
  if (RecordProblem problem = check_size()) return problem;
  return told(::mdb_env_sync(environment_, 1));
}

}  // namespace aifd::services
