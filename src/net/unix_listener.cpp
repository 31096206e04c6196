#include "aifd/net/unix_listener.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "unix_address.hpp"

namespace aifd::net {
namespace {

constexpr mode_t kMode = 0600;
constexpr int kBacklog = 64;
constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

Error failed(const std::string& path, const std::string& why) {
  return {ErrorKind::internal, ErrorSource::aifd, false, path + ": " + why};
}

// 0: somebody listens; else what connect() says.
int try_to_connect(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, kSocketFlags, 0);
  const int error = probe >= 0 && connect_unix(probe, address) == 0 ? 0 : errno;
  if (probe >= 0) ::close(probe);
  return error == EAGAIN ? 0 : error;  // its queue is full
}

Result<void> make_way(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};  // if there is more to it, bind() will say
  if (!S_ISSOCK(found.st_mode)) return failed(path, "is there already, and is no socket");
  const int error = try_to_connect(address);
  if (error == 0) return failed(path, "another aifd listens there");
  if (error != ECONNREFUSED) return failed(path, std::strerror(error));
  if (::unlink(path.c_str()) != 0) return failed(path, std::strerror(errno));
  return {};
}

}  // namespace

Result<UnixListener> UnixListener::open(const std::string& path) {
  const std::optional<sockaddr_un> address = unix_address(path);
  if (!address) return failed(path, "is longer than 107 bytes, the most for a socket");
  if (const Result<void> free = make_way(path, *address); !free) return free.error();
  UnixListener listener(path, ::socket(AF_UNIX, kSocketFlags, 0));
  const int descriptor = listener.descriptor_;
  // The file gets the mode of its socket: there is no moment in which others may connect.
  const bool bound =
      descriptor >= 0 && ::fchmod(descriptor, kMode) == 0 &&
      ::bind(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  if (!bound) return failed(path, std::strerror(errno));
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return failed(path, std::strerror(errno));
  listener.device_ = made.st_dev;
  listener.inode_ = made.st_ino;
  if (::listen(descriptor, kBacklog) != 0) return failed(path, std::strerror(errno));
  return listener;
}

UnixListener::UnixListener(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {}

UnixListener::~UnixListener() {
  struct stat found {};
  const bool ours = inode_ != 0 && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
                    found.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

int UnixListener::release() noexcept {
  return std::exchange(descriptor_, -1);
}

}  // namespace aifd::net
