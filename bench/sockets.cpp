#include "sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace bench {
namespace {

constexpr int kBacklog = 4096;

sockaddr_in address(std::uint32_t host, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(host);
  result.sin_port = htons(port);
  return result;
}

void set(int socket, int level, int option) {
  const int on = 1;
  setsockopt(socket, level, option, &on, sizeof(on));
}

int new_socket() {
  const int result = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (result < 0) die(std::string("socket: ") + std::strerror(errno));
  set(result, IPPROTO_TCP, TCP_NODELAY);
  return result;
}

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void die(const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  std::exit(1);
}

void raise_file_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int listen_on_loopback(std::uint16_t port) {
  const int listener = new_socket();
  set(listener, SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in to = address(INADDR_LOOPBACK, port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 ||
      listen(listener, kBacklog) != 0) {
    die("cannot listen on port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.sin_port);
}

int accept_from(int listener) {
  const int result = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (result >= 0) set(result, IPPROTO_TCP, TCP_NODELAY);
  if (result < 0 && (errno == EMFILE || errno == ENFILE)) die("accept: too many open files");
  return result;
}

int connect_to_loopback(std::uint16_t port, std::uint32_t source) {
  const int result = new_socket();
  const sockaddr_in from = address(INADDR_LOOPBACK + source % 100, 0);
  set(result, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  if (bind(result, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0) {
    die(std::string("bind: ") + std::strerror(errno));
  }
  const sockaddr_in to = address(INADDR_LOOPBACK, port);
  if (connect(result, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 &&
      errno != EINPROGRESS) {
    die("connect to port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  return result;
}

int connect_error(int socket) {
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

long send_some(int socket, std::string_view bytes) {
  const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? 0 : -2;
}

long receive_some(int socket, char* buffer, std::size_t size) {
  const ssize_t received = recv(socket, buffer, size, 0);
  if (received >= 0) return received;
  return errno == EAGAIN || errno == EINTR ? -1 : -2;
}

Poller::Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) die("epoll_create1 failed");
}

Poller::~Poller() {
  close(descriptor_);
}

void Poller::add(int socket, std::uint32_t events, void* owner) {
  epoll_event event{events, {owner}};
  if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, socket, &event) != 0) die("epoll_ctl failed");
}

void Poller::change(int socket, std::uint32_t events, void* owner) {
  epoll_event event{events, {owner}};
  if (epoll_ctl(descriptor_, EPOLL_CTL_MOD, socket, &event) != 0) die("epoll_ctl failed");
}

int Poller::wait(epoll_event* events, int size, std::int64_t nanoseconds) {
  const timespec time{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  return epoll_pwait2(descriptor_, events, size, nanoseconds < 0 ? nullptr : &time, nullptr);
}

}  // namespace bench
