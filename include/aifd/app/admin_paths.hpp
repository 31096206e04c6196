// Where the admin socket of a daemon is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aifd/base/error.hpp"

namespace aifd::app {

// All places where the daemon of `port` may listen that runs on this machine, as this user, or as a
// service of systemd's. The first one is where a daemon with this environment listens:
//   ADMIN_SOCKET, where it is set: then it is the only one; none where it is "off"
//   $RUNTIME_DIRECTORY/aifd-<port>.sock     (systemd.exec(5); of several folders the first)
//   $XDG_RUNTIME_DIR/aifd-<port>.sock
//   /tmp/aifd-<user>/aifd-<port>.sock
//   /run/aifd/aifd-<port>.sock              (RuntimeDirectory=aifd, seen from outside)
std::vector<std::string> admin_socket_paths(const std::string& setting,
                                            const std::map<std::string, std::string>& environment,
                                            uid_t user, std::uint16_t port);

// Whether nobody but `user` can put anything there: of the folder in /tmp, whose name all can take.
bool is_private_folder(const std::filesystem::path& folder, uid_t user);

// Makes it where it is missing. Errors: it is another's, or open to others, or cannot be made.
Result<void> make_private_folder(const std::filesystem::path& folder, uid_t user);

// That folder.
std::filesystem::path folder_in_tmp(uid_t user);

}  // namespace aifd::app
