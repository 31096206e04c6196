#include "zstd_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0600;

struct Descriptor {
  explicit Descriptor(int opened) : value(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  const int value;
};

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

std::string problem(const fs::path& path) {
  return path.string() + ": " + std::generic_category().message(errno);
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) return false;
  }
  return true;
}

ssize_t read_some(int descriptor, std::vector<char>& buffer) {
  ssize_t got = 0;
  do {
    got = ::read(descriptor, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  return got;
}

// False: somebody else has locked it, or it is no file, or has no name any more.
bool lock_file(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat file {};
  return ::fstat(descriptor, &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink > 0;
}

// Empty: done. Small buffers: it goes on beside what serves.
std::string pump(const fs::path& source, int from, const fs::path& target, int to,
                 const std::atomic<bool>& stop) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (!context) return "no memory to compress in";
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> in(ZSTD_CStreamInSize());
  std::vector<char> out(ZSTD_CStreamOutSize());
  for (;;) {
    if (stop) return "stopped";
    const ssize_t got = read_some(from, in);
    if (got < 0) return problem(source);
    const ZSTD_EndDirective mode = got == 0 ? ZSTD_e_end : ZSTD_e_continue;
    ZSTD_inBuffer input{in.data(), static_cast<std::size_t>(got), 0};
    for (bool more = true; more;) {
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &output, &input, mode);
      if (ZSTD_isError(left)) return source.string() + ": " + ZSTD_getErrorName(left);
      if (!write_all(to, {out.data(), output.pos})) return problem(target);
      more = mode == ZSTD_e_end ? left > 0 : input.pos < input.size;
    }
    if (mode == ZSTD_e_end) return "";
  }
}

// Of the source, and safe on the disk before it takes the source's place.
std::string finish(int from, int to, const fs::path& target, const fs::path& unfinished) {
  struct stat file {};
  if (::fstat(from, &file) == 0) {
    const std::array<timespec, 2> times{file.st_atim, file.st_mtim};
    ::futimens(to, times.data());
  }
  if (::fsync(to) != 0) return problem(unfinished);
  if (::rename(unfinished.c_str(), target.c_str()) != 0) return problem(target);
  return "";
}

}  // namespace

std::string compress_file(const fs::path& source, const fs::path& target,
                          const fs::path& unfinished, const std::atomic<bool>& stop) {
  const Descriptor from(::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (from.value < 0) return problem(source);
  if (!lock_file(from.value)) return "";
  const Descriptor to(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, kFileMode));
  if (to.value < 0) return problem(unfinished);
  if (!lock_file(to.value)) return "";
  std::string wrong;
  if (::ftruncate(to.value, 0) != 0) wrong = problem(unfinished);
  if (wrong.empty()) wrong = pump(source, from.value, unfinished, to.value, stop);
  if (wrong.empty()) wrong = finish(from.value, to.value, target, unfinished);
  if (!wrong.empty()) {
    ::unlink(unfinished.c_str());
  } else if (::unlink(source.c_str()) != 0) {
    wrong = problem(source);
  }
  return wrong;
}

void remove_unfinished(const fs::path& unfinished) {
  const Descriptor file(::open(unfinished.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value >= 0 && lock_file(file.value)) ::unlink(unfinished.c_str());
}

}  // namespace aifd::services
