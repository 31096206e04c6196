#include "log_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "aifd/base/log.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr int kMostTries = 3;                              // to open what others rotate
constexpr std::size_t kMostAtOnce = std::size_t{8} << 20;  // in one write, unless a line is longer

std::string message_of(int error) {
  return std::generic_category().message(error);
}

// Gives an errno, or 0.
int make_folders(const fs::path& path) {
  fs::path so_far;
  for (const fs::path& part : path) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), kFolderMode) == 0) continue;
    const int error = errno;
    std::error_code ignored;
    if (!fs::is_directory(so_far, ignored)) return error == EEXIST ? ENOTDIR : error;
  }
  return 0;
}

bool ends_in_half_a_line(const fs::path& path, const struct stat& file) {
  if (!S_ISREG(file.st_mode) || file.st_size == 0) return false;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  char last = '\n';
  const ssize_t got = ::pread(descriptor, &last, 1, file.st_size - 1);
  ::close(descriptor);
  return got == 1 && last != '\n';
}

std::string_view first_line(std::string_view lines) {
  return lines.substr(0, lines.find('\n') + 1);
}

}  // namespace

LogFile::LogFile(fs::path path, LogFileOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

std::size_t LogFile::append(std::string_view lines, Clock::time_point now) {
  std::size_t done = 0;
  while (done < lines.size() && ready(now)) {
    const std::string_view next = next_lines(lines.substr(done), now);
    if (next.empty()) {
      rotate(now);
      continue;
    }
    const std::size_t written = write_lines(next);
    done += written;
    if (written < next.size()) break;
  }
  return done;
}

void LogFile::reopen(Clock::time_point now) {
  open_at_ = Clock::time_point::min();
  if (descriptor_ < 0) return;
  close();
  open(now);
  open_at_ = Clock::time_point::min();  // also where that failed
}

// Open, at its path, and looked at.
bool LogFile::ready(Clock::time_point now) {
  if (descriptor_ >= 0 && (!look() || elsewhere(now))) close();
  return descriptor_ >= 0 || open(now);
}

bool LogFile::open(Clock::time_point now) {
  if (now < open_at_) return false;
  open_at_ = now + kRetryAfter;
  if (const int error = make_folders(path_.parent_path()); error != 0) {
    fail(error);
    return false;
  }
  bool held = false;
  for (int tries = 0; tries < kMostTries && !held; ++tries) {
    close();
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
    held = descriptor_ >= 0 && hold();
  }
  if (!held) {
    fail(errno);
    close();
    return false;
  }
  open_at_ = Clock::time_point::min();
  look_at_ = now + kLookEvery;
  torn_ = ends_in_half_a_line(path_, seen_);
  if (!std::exchange(tidied_, true) && options_.tidy) options_.tidy(path_);
  return true;
}

// For all daemons that write to it: as long as one does, nobody packs it. False: it was rotated
// since it was opened, and is being packed, or gone.
bool LogFile::hold() {
  if (::flock(descriptor_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  if (!look()) return false;
  errno = ENOENT;
  return seen_.st_nlink > 0;
}

void LogFile::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

bool LogFile::look() {
  return ::fstat(descriptor_, &seen_) == 0;
}

bool LogFile::elsewhere(Clock::time_point now) {
  if (seen_.st_nlink == 0) return true;
  if (now < look_at_) return false;
  look_at_ = now + kLookEvery;
  struct stat there {};
  if (::stat(path_.c_str(), &there) != 0) return errno == ENOENT;
  return there.st_ino != seen_.st_ino || there.st_dev != seen_.st_dev;
}

bool LogFile::may_rotate(Clock::time_point now) const noexcept {
  return options_.rotate_bytes > 0 && S_ISREG(seen_.st_mode) && now >= rotate_at_;
}

// Empty: the file must be rotated first.
std::string_view LogFile::next_lines(std::string_view rest, Clock::time_point now) const {
  const std::string_view first = first_line(rest);
  std::uint64_t room = kMostAtOnce;
  if (may_rotate(now)) {
    const auto size = static_cast<std::uint64_t>(seen_.st_size);
    const std::uint64_t most = options_.rotate_bytes;
    if (size > 0 && (size > most || first.size() > most - size)) return {};
    room = std::min(room, most - size);
  }
  if (rest.size() <= room) return rest;
  if (first.size() >= room) return first;
  return rest.substr(0, rest.rfind('\n', room - 1) + 1);
}

// A file that cannot be renamed is written to all the same.
void LogFile::rotate(Clock::time_point now) {
  look_at_ = Clock::time_point::min();
  if (elsewhere(now)) return close();
  const std::string stem = path_.stem().string();
  fs::path target;
  std::error_code ec;
  WallClock::time_point at = options_.wall_clock();
  do {
    target = path_.parent_path() / rotated_name(stem, at);
    at += std::chrono::microseconds(1);
  } while (fs::exists(target, ec) || fs::exists(target.string() + std::string(kPackedEnding), ec));
  if (::rename(path_.c_str(), target.c_str()) != 0) {
    log::warn("{} cannot be rotated: {}", path_.string(), message_of(errno));
    rotate_at_ = now + kRotateAfter;
    return;
  }
  close();
  if (options_.tidy) options_.tidy(path_);
}

std::size_t LogFile::write_lines(std::string_view lines) {
  if (torn_ && (write_all("\n") == 0 || !look())) return 0;
  torn_ = false;
  const std::size_t written = write_all(lines);
  if (written == lines.size()) return written;
  const std::size_t whole = written == 0 ? 0 : lines.rfind('\n', written - 1) + 1;
  cut_back(written, whole);
  return whole;
}

// Gives how much of it was written; trouble() says why not all.
std::size_t LogFile::write_all(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      fail(count == 0 ? EIO : errno);
      break;
    }
  }
  return done;
}

// Takes the beginning of a line out again, unless somebody else has written behind it.
void LogFile::cut_back(std::size_t written, std::size_t whole) {
  if (written == whole) return;
  const off_t before = seen_.st_size;
  const bool alone =
      S_ISREG(seen_.st_mode) && look() && seen_.st_size == before + static_cast<off_t>(written);
  torn_ = !alone || ::ftruncate(descriptor_, before + static_cast<off_t>(whole)) != 0;
}

void LogFile::fail(int error) {
  trouble_ = path_.string() + ": " + message_of(error);
}

}  // namespace aifd::services
