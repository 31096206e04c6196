// A Unix socket to listen on, and its file.
#pragma once

#include <sys/types.h>

#include <string>

#include "aifd/base/error.hpp"

namespace aifd::net {

// Owns the file: it is removed in the end, unless it is another's by then.
class UnixListener {
 public:
  // Binds and listens; only the file's owner may connect (mode 0600). The file of a socket that
  // nobody listens at any more is replaced. Errors, with the path in their text: somebody listens
  // there, there is something else, the folder is missing or closed to us, a path of over 107
  // bytes.
  static Result<UnixListener> open(const std::string& path);

  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  const std::string& path() const noexcept { return path_; }

  // The descriptor, for who listens; -1 from then on.
  int release() noexcept;

 private:
  UnixListener(std::string path, int descriptor);

  std::string path_;
  int descriptor_;
  dev_t device_ = 0;  // which file is ours
  ino_t inode_ = 0;
};

}  // namespace aifd::net
