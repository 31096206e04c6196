// The Unix socket over which `aifd cache` talks to the daemon.
#pragma once

#include <memory>

#include "aifd/app/services.hpp"
#include "aifd/net/server.hpp"
#include "aifd/net/unix_listener.hpp"

namespace aifd::app {

// A server of its own, on a thread of its own, so that it delays no request. The services outlive
// it. It ends, and its file goes, with it.
class AdminServer {
 public:
  // Serves the cache at the first of admin_socket_paths(). Null where there is no cache, the socket
  // is off or cannot be had; the log says which: never a reason for the daemon to end.
  static std::unique_ptr<AdminServer> start(const config::Settings& settings, Services& services,
                                            const std::map<std::string, std::string>& environment,
                                            std::uint16_t port);

 private:
  AdminServer(const config::Settings& settings, Services& services, net::UnixListener listener);

  const config::Settings settings_;
  Lifecycle lifecycle_;
  const chain::Chain chain_;
  net::Server server_;
  net::UnixListener listener_;  // last: the file goes before who listens
};

}  // namespace aifd::app
