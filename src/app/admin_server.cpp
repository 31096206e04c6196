#include "aifd/app/admin_server.hpp"

#include <unistd.h>

#include "aifd/admin/cache_admin.hpp"
#include "aifd/app/admin_paths.hpp"
#include "aifd/app/cache_store.hpp"
#include "aifd/base/log.hpp"

namespace aifd::app {
namespace {

constexpr std::size_t kMostConnections = 16;
constexpr std::uint64_t kMostBodyBytes = 64 * 1024;

config::Settings own_settings() {
  config::Settings settings;
  settings.max_connections = kMostConnections;
  settings.max_body_bytes = kMostBodyBytes;
  return settings;
}

chain::Chain build_admin_chain(const config::Settings& settings, Services& services) {
  std::vector<std::unique_ptr<chain::Middleware>> links;
  links.push_back(
      std::make_unique<admin::CacheAdmin>(*services.cache, cache_facts(settings.cache)));
  return chain::Chain(std::move(links));
}

Result<net::UnixListener> open_socket(const std::filesystem::path& path) {
  const std::filesystem::path in_tmp = folder_in_tmp(::geteuid());
  if (path.parent_path() == in_tmp) {
    const Result<void> made = make_private_folder(in_tmp, ::geteuid());
    if (!made) return made.error();
  }
  return net::UnixListener::open(path.string());
}

}  // namespace

std::unique_ptr<AdminServer> AdminServer::start(
    const config::Settings& settings, Services& services,
    const std::map<std::string, std::string>& environment, std::uint16_t port) {
  if (!services.cache) return nullptr;
  const auto paths = admin_socket_paths(settings.admin_socket, environment, ::geteuid(), port);
  if (paths.empty()) return nullptr;
  Result<net::UnixListener> listener = open_socket(paths.front());
  if (!listener) {
    log::warn("there is no admin socket, so \"aifd cache\" cannot ask this aifd (ADMIN_SOCKET): {}",
              listener.error().detail);
    return nullptr;
  }
  log::info("the admin socket, for \"aifd cache\", is {}", listener->path());
  return std::unique_ptr<AdminServer>(new AdminServer(settings, services, std::move(*listener)));
}

AdminServer::AdminServer(const config::Settings& settings, Services& services,
                         net::UnixListener listener)
    : settings_(own_settings()),
      chain_(build_admin_chain(settings, services)),
      server_(settings_, chain_, lifecycle_),
      listener_(std::move(listener)) {
  server_.listen_on_unix(listener_.release());
  server_.start();
}

}  // namespace aifd::app
