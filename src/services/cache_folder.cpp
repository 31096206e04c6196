#include "cache_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace aifd::services {
namespace {

namespace fs = std::filesystem;
using Kind = RecordTrouble::Kind;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

RecordProblem make_folder(const fs::path& path) {
  if (::mkdir(path.c_str(), kFolderMode) == 0) return std::nullopt;
  const int error = errno;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return std::nullopt;
  return file_trouble(path, error);
}

RecordProblem make_folders(const fs::path& path) {
  fs::path so_far;
  for (const fs::path& part : path) {
    so_far /= part;
    if (RecordProblem problem = make_folder(so_far)) return problem;
  }
  return std::nullopt;
}

}  // namespace

RecordTrouble file_trouble(const fs::path& path, int error) {
  const bool no_room = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return {no_room ? Kind::unwritable : Kind::unusable,
          path.string() + ": " + std::generic_category().message(error)};
}

CacheFolder::CacheFolder(fs::path root, std::string name)
    : root_(std::move(root)), name_(std::move(name)), path_(root_ / name_) {}

RecordProblem CacheFolder::lock() {
  if (!locked()) {
    if (RecordProblem problem = make_folders(root_)) return problem;
    const fs::path file = root_ / (name_ + ".lock");
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    const int descriptor = ::open(file.c_str(), flags, kFileMode);
    if (descriptor < 0) return file_trouble(file, errno);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(descriptor);
      if (error != EWOULDBLOCK) return file_trouble(file, error);
      return RecordTrouble{Kind::locked, path_.string() + " is in use by another process"};
    }
    lock_ = descriptor;
  }
  return make_folder(path_);
}

void CacheFolder::unlock() noexcept {
  if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

RecordProblem CacheFolder::set_aside(std::string& done) {
  remove_earlier_damaged();
  const std::string aside = name_ + ".damaged-" + std::to_string(wall_clock_seconds());
  std::error_code ec;
  fs::rename(path_, root_ / aside, ec);
  if (ec) return file_trouble(path_, ec.value());
  done = "it was moved to " + (root_ / aside).string() + " and begun anew";
  return make_folder(path_);
}

// One is enough to look at; many would fill the disk.
void CacheFolder::remove_earlier_damaged() const {
  std::error_code ec;
  for (fs::directory_iterator entry(root_, ec), end; !ec && entry != end; entry.increment(ec)) {
    std::error_code ignored;
    const std::string found = entry->path().filename().string();
    if (found.starts_with(name_ + ".damaged-")) fs::remove_all(entry->path(), ignored);
  }
}

RecordProblem CacheFolder::empty() {
  std::error_code ec;
  fs::remove_all(path_, ec);
  if (ec) return file_trouble(path_, ec.value());
  return make_folder(path_);
}

}  // namespace aifd::services
