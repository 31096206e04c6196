// The address of a Unix socket.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <optional>
#include <string>

namespace aifd::net {

// nullopt: the path is empty or over 107 bytes.
inline std::optional<sockaddr_un> unix_address(const std::string& path) noexcept {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// 0, or -1 and errno.
inline int connect_unix(int descriptor, const sockaddr_un& address) noexcept {
  return ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace aifd::net
