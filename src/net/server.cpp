#include "aifd/net/server.hpp"

#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/v6_only.hpp>
#include <cerrno>
#include <cstring>

#include "aifd/base/log.hpp"
#include "aifd/net/tls.hpp"

namespace aifd::net {
namespace {

constexpr int kBacklog = 4096;
constexpr std::size_t kOtherDescriptors = 64;  // logs, listeners, epoll, libraries

// A descriptor of a listening socket, closed unless a worker takes it over.
class Listening {
 public:
  explicit Listening(int fd) : fd_(fd) {}
  Listening(Listening&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Listening& operator=(Listening&&) = delete;
  ~Listening() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error listen_error(const tcp::endpoint& endpoint, std::string_view what) {
  std::string text = "cannot listen on " + endpoint.address().to_string() + " port " +
                     std::to_string(endpoint.port()) + ": " + std::string(what);
  if (errno == EADDRINUSE) text += "; another program has it: choose another with --port";
  if (errno == EACCES) text += "; ports below 1024 need a privilege: choose another with --port";
  return {ErrorKind::internal, ErrorSource::aifd, false, std::move(text)};
}

Result<Listening> listen_on(const tcp::endpoint& endpoint, bool shared_port) {
  Listening socket(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  if (socket.get() < 0) return listen_error(endpoint, std::strerror(errno));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  // Inherited by each connection that is accepted.
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return listen_error(endpoint, std::strerror(errno));
  }
  return socket;
}

std::uint16_t bound_port(const Listening& socket) {
  tcp::endpoint endpoint;
  auto length = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(socket.get(), endpoint.data(), &length);
  endpoint.resize(length);
  return endpoint.port();
}

Result<tcp::endpoint> to_endpoint(const std::string& host, std::uint16_t port) {
  asio::io_context loop;
  tcp::resolver resolver(loop);
  error_code ec;
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  if (ec || found.empty()) {
    return Error{ErrorKind::internal, ErrorSource::aifd, false,
                 "cannot listen on " + host + ": " + ec.message() + " (HOST, --host)"};
  }
  return found.begin()->endpoint();
}

// Each session may hold a connection to its client and one to its upstream.
std::size_t most_sessions(const config::Settings& settings) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto descriptors = static_cast<std::size_t>(limit.rlim_cur);
  std::size_t most = std::max<std::size_t>((descriptors - kOtherDescriptors) / 2, 16);
  if (settings.max_connections > 0) most = std::min(most, settings.max_connections);
  const std::size_t workers = settings.listen.workers;
  return (most + workers - 1) / workers;
}

// Reading the system's trusted certificates takes some 70 ms and several MiB.
bool calls_https(const config::Settings& settings) {
  const auto over_tls = [](const config::Route& route) { return route.base_url.tls; };
  return settings.model_map.api_base.tls || std::ranges::any_of(settings.routes, over_tls);
}

}  // namespace

Server::Server(const config::Settings& settings, const chain::Chain& chain, Lifecycle& lifecycle)
    : settings_(settings), chain_(chain), lifecycle_(lifecycle) {}

Server::~Server() {
  drain();
  abort();
  for (std::thread& thread : threads_) thread.join();
}

Result<void> Server::listen() {
  if (calls_https(settings_)) {
    Result<std::shared_ptr<asio::ssl::context>> client_tls = make_client_tls();
    if (!client_tls) return client_tls.error();
    client_tls_ = *client_tls;
  }
  if (!settings_.listen.tls_certificate_file.empty()) {
    Result<std::shared_ptr<asio::ssl::context>> server_tls =
        make_server_tls(settings_.listen.tls_certificate_file, settings_.listen.tls_key_file);
    if (!server_tls) return server_tls.error();
    server_tls_ = *server_tls;
  }
  if (settings_.proxy_protocol) proxy_headers_.emplace(settings_.trusted_proxies);
  share();
  return bind(settings_.listen.host, settings_.listen.port);
}

void Server::listen_on_unix(int unix_socket) {
  share();
  workers_.push_back(std::make_unique<Worker>(*shared_));
  workers_.back()->add_listener(unix_socket, tcp::v4());
}

void Server::share() {
  shared_ = std::make_unique<Shared>(
      Shared{settings_, chain_, lifecycle_, resolver_, client_tls_.get(), server_tls_.get(),
             proxy_headers_ ? &*proxy_headers_ : nullptr, most_sessions(settings_)});
}

// With several workers each has a listener of its own and the kernel spreads the connections. Such
// a port could be shared with another daemon by mistake, so it is first bound alone.
Result<void> Server::bind(const std::string& host, std::uint16_t port) {
  const Result<tcp::endpoint> wanted = to_endpoint(host, port);
  if (!wanted) return wanted.error();
  tcp::endpoint endpoint = *wanted;
  const unsigned count = settings_.listen.workers;
  {
    const Result<Listening> alone = listen_on(endpoint, false);
    if (!alone) return alone.error();
    endpoint.port(bound_port(*alone));
  }
  port_ = endpoint.port();
  for (unsigned i = 0; i < count; ++i) {
    Result<Listening> socket = listen_on(endpoint, count > 1);
    if (!socket) return socket.error();
    workers_.push_back(std::make_unique<Worker>(*shared_));
    workers_.back()->add_listener(socket->release(), endpoint.protocol());
  }
  return {};
}

std::string Server::url() const {
  const std::string& host = settings_.listen.host;
  const bool v6 = host.find(':') != std::string::npos;
  return (server_tls_ ? "https://" : "http://") + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port_);
}

void Server::start() {
  for (const auto& worker : workers_) {
    ++running_;
    threads_.emplace_back([this, &worker] {
      worker->run();
      --running_;
    });
  }
}

void Server::drain() {
  lifecycle_.draining = true;
  for (const auto& worker : workers_) worker->drain();
}

void Server::abort() {
  for (const auto& worker : workers_) worker->abort();
}

}  // namespace aifd::net
