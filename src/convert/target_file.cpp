#include "target_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

bool is_still_at(const fs::path& path, int descriptor) {
  struct stat opened {};
  struct stat there {};
  return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

}  // namespace

TargetFile::TargetFile(const fs::path& path) : path_(path) {
  std::error_code ec;
  if (fs::is_symlink(path, ec)) path_ = fs::weakly_canonical(path, ec);
  if (ec) path_ = path;
  const fs::file_status status = fs::status(path_, ec);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    failure_ = path.string() + " is no file that can be replaced";
    return;
  }
  beside_ = path_.string() + ".new";
  if (!open()) return;
  buffered_.reserve(kBufferBytes);
}

// What somebody else renamed or removed between the opening and the lock is not ours.
bool TargetFile::open() {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  while (true) {
    file_ = Descriptor(::open(beside_.c_str(), kFlags, 0600));
    if (!file_) {
      fail(errno);
      return false;
    }
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      file_ = Descriptor();
      failure_ = path_.string() + " is being written by another aifd";
      return false;
    }
    if (is_still_at(beside_, file_.get())) break;
  }
  if (::ftruncate(file_.get(), 0) != 0 || ::fchmod(file_.get(), 0600) != 0) fail(errno);
  return failure_.empty();
}

TargetFile::~TargetFile() {
  if (file_) ::unlink(beside_.c_str());
}

void TargetFile::write(std::string_view text) {
  if (!failure_.empty()) return;
  if (buffered_.size() + text.size() > kBufferBytes) flush();
  buffered_ += text;
  if (buffered_.size() > kBufferBytes) flush();
}

void TargetFile::flush() {
  std::string_view rest = buffered_;
  while (!rest.empty() && failure_.empty()) {
    const ssize_t count = ::write(file_.get(), rest.data(), rest.size());
    if (count < 0 && errno != EINTR) fail(errno);
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffered_.clear();
  if (buffered_.capacity() > 4 * kBufferBytes) buffered_.shrink_to_fit();
}

void TargetFile::finish() {
  if (failure_.empty()) flush();
  if (failure_.empty() && ::fsync(file_.get()) != 0) fail(errno);
  if (failure_.empty() && ::rename(beside_.c_str(), path_.c_str()) != 0) fail(errno);
  if (failure_.empty()) file_ = Descriptor();
}

void TargetFile::fail(int error) {
  if (failure_.empty()) {
    failure_ = path_.string() + " cannot be written: " + std::strerror(error);
  }
}

}  // namespace aifd::convert
