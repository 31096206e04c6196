#include "aifd/services/line_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "aifd/base/log.hpp"
#include "aifd/base/this_thread.hpp"

namespace aifd::services {
namespace {

using namespace std::chrono_literals;

constexpr auto kGather = 50ms;              // how long lines wait for company
constexpr std::size_t kEnough = 64 * 1024;  // then they do not wait
constexpr int kStopAfterMs = 1000;

// A process that was killed while it wrote leaves half a line, which the next must not join.
bool ends_in_half_a_line(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  return file.seekg(-1, std::ios::end) && file.get() != '\n';
}

// A named pipe that is opened to be read, too, needs no reader to be there (fifo(7)): its lines
// wait for one, and neither the start nor a reopening does.
int open_to_append(const std::string& path) {
  std::error_code ignored;
  const int way = std::filesystem::is_fifo(path, ignored) ? O_RDWR : O_WRONLY;
  return ::open(path.c_str(), way | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

bool is_regular(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Result<std::unique_ptr<LineWriter>> LineWriter::open(const std::string& target) {
  if (target == "stdout") return std::make_unique<LineWriter>(STDOUT_FILENO, "");
  const bool torn = ends_in_half_a_line(target);
  const int descriptor = open_to_append(target);
  if (descriptor < 0) {
    return Error{ErrorKind::internal, ErrorSource::aifd, false,
                 "ACCESS_LOG: " + target + " cannot be written: " + std::strerror(errno)};
  }
  auto writer = std::make_unique<LineWriter>(descriptor, target);
  if (torn) writer->add("\n");
  return writer;
}

LineWriter::LineWriter(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)), thread_([this] { run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (has_path()) ::close(descriptor_);
}

void LineWriter::add(std::string_view line) noexcept {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (queued_.size() + line.size() > kMostQueuedBytes) {
      ++dropped_;
      return;
    }
    const std::size_t before = queued_.size();
    queued_.append(line);
    wake = before == 0 || (before < kEnough && queued_.size() >= kEnough);
  }
  if (wake) wake_.notify_one();
}

void LineWriter::reopen() noexcept {
  const std::scoped_lock lock(mutex_);
  reopening_ = has_path();
}

// Under the same descriptor, so that no line meets a closed one.
void LineWriter::open_anew() const {
  const int descriptor = open_to_append(path_);
  if (descriptor < 0) {
    log::warn("the access log {} cannot be opened anew: {}", path_, std::strerror(errno));
    return;
  }
  ::dup3(descriptor, descriptor_, O_CLOEXEC);
  ::close(descriptor);
}

std::uint64_t LineWriter::dropped() const noexcept {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

void LineWriter::run() {
  name_this_thread("aifd-lines");
  let_others_go_first();
  std::string batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queued_.empty(); });
    wake_.wait_for(lock, kGather, [this] { return stopping_ || queued_.size() >= kEnough; });
    if (queued_.empty()) return;  // stopping
    batch.clear();
    batch.swap(queued_);
    const bool reopens = std::exchange(reopening_, false);
    lock.unlock();
    if (reopens) open_anew();
    const std::string_view lost = write_all(batch);
    lock.lock();
    dropped_ += static_cast<std::uint64_t>(std::ranges::count(lost, '\n'));
    if (lost.empty() && dropped_ > told_) {
      log::warn("the access log takes lines again; {} were lost", dropped_ - told_);
      told_ = dropped_;
    }
  }
}

// A pipe that polls writable takes PIPE_BUF bytes without blocking, so that stopping is never stuck
// in a write.
std::string_view LineWriter::write_all(std::string_view bytes) {
  const std::size_t most = is_regular(descriptor_) ? bytes.size() : std::size_t{PIPE_BUF};
  while (!bytes.empty() && wait_writable()) {
    const std::size_t count = std::min(bytes.size(), most);
    const ssize_t written = ::write(descriptor_, bytes.data(), count);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR && errno != EAGAIN) break;  // disk full, reader gone
  }
  return bytes;
}

bool LineWriter::wait_writable() {
  for (;;) {
    pollfd target{descriptor_, POLLOUT, 0};
    const int ready = ::poll(&target, 1, kStopAfterMs);
    if (ready > 0) return true;
    const std::scoped_lock lock(mutex_);
    if (ready == 0 && stopping_) return false;
  }
}

}  // namespace aifd::services
