// One request to a daemon on this machine, over its Unix socket.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aifd/base/error.hpp"

namespace aifd::net {

struct UnixAnswer {
  int status = 0;
  std::string body;  // of any size: the daemon is trusted
};

// nullopt: nobody listens at `path`. Blocks for at most `timeout`. Errors: who listens there cannot
// be reached, or gives no answer.
Result<std::optional<UnixAnswer>> ask_unix_socket(const std::string& path,
                                                  const std::string& method,
                                                  const std::string& target,
                                                  std::chrono::milliseconds timeout);

}  // namespace aifd::net
