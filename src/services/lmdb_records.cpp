#include "lmdb_records.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "lmdb_check.hpp"
#include "lmdb_transaction.hpp"

namespace aifd::services {
namespace {

using Kind = RecordTrouble::Kind;

constexpr std::uint64_t kLeastBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kSpareBytes = std::uint64_t{16} << 20;
constexpr std::size_t kPageBytes = 4096;  // about: for estimates

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

LmdbRecords::LmdbRecords(const std::filesystem::path& root, std::uint64_t max_bytes)
    : folder_(root, "lmdb"),
      file_(folder_.path() / "data.mdb"),
      max_bytes_(std::max(max_bytes, kLeastBytes)) {}

std::string LmdbRecords::name() const {
  return "LMDB in " + folder_.path().string();
}

RecordProblem LmdbRecords::open() {
  if (RecordProblem problem = folder_.lock()) return problem;
  if (RecordProblem problem = check_access()) return problem;
  const std::string damage = find_lmdb_damage(file_);
  if (!damage.empty()) return RecordTrouble{Kind::damaged, damage};
  if (RecordProblem problem = told(open_environment())) {
    close();
    return problem;
  }
  file_bytes_ = 0;
  return check_size();
}

// What is no file of ours is not damage.
RecordProblem LmdbRecords::check_access() const {
  const int descriptor = ::open(file_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  if (descriptor < 0) return file_trouble(file_, errno);
  struct stat info {};
  const bool good = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  ::close(descriptor);
  if (good) return std::nullopt;
  return RecordTrouble{Kind::unusable, file_.string() + " is not a file"};
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
  LmdbTransaction transaction(environment_, 0, 0);
  if (const int code = transaction.begun()) return code;
  if (const int code = transaction.open_database(database_)) return code;
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
  LmdbTransaction transaction(environment_, flags, database_);
  if (const int code = transaction.begun()) return told(code);
  if (const int code = work(transaction)) return told(code);
  const std::uint64_t entries = transaction.records();
  const std::uint64_t bytes = transaction.bytes();
  if (const int code = transaction.commit()) return told(code);
  stat_.entries = entries;
  stat_.bytes = bytes;
  return check_size();
}

RecordProblem LmdbRecords::read(const CacheKey& key, std::optional<std::string>& bytes) {
  return transact(MDB_RDONLY, [&](LmdbTransaction& transaction) {
    std::string_view found;
    const int code = transaction.get(key, found);
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
  RecordProblem problem = transact(0, [&](LmdbTransaction& transaction) {
    if (int code = transaction.make_room(needed, max_bytes_, dropped)) return code;
    for (const CacheRecord& record : records) {
      if (int code = transaction.put(record)) return code;
    }
    return 0;
  });
  if (!problem) stat_.evicted += dropped;
  return problem;
}

RecordProblem LmdbRecords::shrink_to(std::uint64_t max_bytes) {
  std::uint64_t dropped = 0;
  RecordProblem problem = transact(0, [&](LmdbTransaction& transaction) {
    return transaction.make_room(0, max_bytes, dropped);
  });
  if (!problem) stat_.evicted += dropped;
  return problem;
}

RecordProblem LmdbRecords::erase(const CacheKey& key) {
  return transact(0, [&](LmdbTransaction& transaction) { return transaction.drop(key); });
}

RecordProblem LmdbRecords::clear() {
  ::mdb_env_close(std::exchange(environment_, nullptr));
  if (RecordProblem problem = folder_.empty()) return problem;
  stat_.entries = 0;
  stat_.bytes = 0;
  return open();
}

RecordProblem LmdbRecords::sweep(std::int64_t now, std::size_t most) {
  return transact(0, [&](LmdbTransaction& transaction) {
    return transaction.drop_expired(sweep_from_, now, most);
  });
}

RecordProblem LmdbRecords::sync() {
  if (RecordProblem problem = check_size()) return problem;
  return told(::mdb_env_sync(environment_, 1));
}

}  // namespace aifd::services
