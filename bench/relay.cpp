// The floor: the least that a program must do to pass bytes between two TCP connections. It knows
// nothing of HTTP; each client's connection has one of its own to the upstream.
//   bench_relay UPSTREAM-PORT [PORT]     prints the port it listens on

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "sockets.hpp"

namespace bench {
namespace {

struct Pair;

struct End {
  Pair* pair = nullptr;
  End* other = nullptr;
  int socket = -1;
  bool connecting = false;
  std::string out;  // what this socket has not taken yet; meanwhile the other is not read
  std::uint32_t interest = EPOLLIN;
};

struct Pair {
  Pair() {
    client.pair = upstream.pair = this;
    client.other = &upstream;
    upstream.other = &client;
  }
  End client;
  End upstream;
};

class Relay {
 public:
  Relay(std::uint16_t upstream, std::uint16_t port)
      : upstream_(upstream), listener_(listen_on_loopback(port)) {
    poller_.add(listener_, EPOLLIN, nullptr);
    std::printf("port %d\n", port_of(listener_));
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    for (;;) {
      const int count = poller_.wait(events, 256, -1);
      for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == nullptr)
          accept_all();
        else
          serve(*static_cast<End*>(events[i].data.ptr), events[i].events);
      }
      gone_.clear();
    }
  }

 private:
  void accept_all() {
    for (int socket = accept_from(listener_); socket >= 0; socket = accept_from(listener_)) {
      Pair* pair = new Pair;  // owned by its two sockets' events, until close_pair()
      pair->client.socket = socket;
      pair->client.interest = 0;  // until the upstream is there
      pair->upstream.socket = connect_to_loopback(upstream_);
      pair->upstream.interest = EPOLLOUT;
      pair->upstream.connecting = true;
      poller_.add(socket, 0, &pair->client);
      poller_.add(pair->upstream.socket, EPOLLOUT, &pair->upstream);
    }
  }

  void serve(End& end, std::uint32_t events) {
    if (end.socket < 0) return;
    if (end.connecting) return connected(end);
    if ((events & EPOLLOUT) != 0) flush(end);
    if (end.socket >= 0 && (events & ~EPOLLOUT) != 0 && end.other->out.empty()) forward(end);
  }

  void connected(End& end) {
    if (connect_error(end.socket) != 0) return close_pair(*end.pair);
    end.connecting = false;
    set_interest(end);
    set_interest(*end.other);
  }

  void forward(End& from) {
    const long size = receive_some(from.socket, buffer_.data(), buffer_.size());
    if (size == -1) return;
    if (size <= 0) return close_pair(*from.pair);
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
    const long sent = send_some(from.other->socket, bytes);
    if (sent < 0) return close_pair(*from.pair);
    if (sent == size) return;
    from.other->out.assign(bytes.substr(static_cast<std::size_t>(sent)));
    set_interest(from);
    set_interest(*from.other);
  }

  void flush(End& end) {
    const long sent = send_some(end.socket, end.out);
    if (sent < 0) return close_pair(*end.pair);
    end.out.erase(0, static_cast<std::size_t>(sent));
    if (!end.out.empty()) return;
    std::string().swap(end.out);
    set_interest(end);
    set_interest(*end.other);
  }

  void set_interest(End& end) {
    const std::uint32_t wanted =
        (end.other->out.empty() ? EPOLLIN : 0u) | (end.out.empty() ? 0u : EPOLLOUT);
    if (wanted == end.interest) return;
    end.interest = wanted;
    poller_.change(end.socket, wanted, &end);
  }

  void close_pair(Pair& pair) {
    close(pair.client.socket);
    close(pair.upstream.socket);
    pair.client.socket = pair.upstream.socket = -1;
    gone_.emplace_back(&pair);
  }

  std::uint16_t upstream_;
  int listener_;
  Poller poller_;
  std::vector<std::unique_ptr<Pair>> gone_;  // until no event of this round can mean them
  std::string buffer_ = std::string(64 * 1024, '\0');
};

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  if (count < 2) bench::die("usage: bench_relay UPSTREAM-PORT [PORT]");
  bench::raise_file_limit();
  const auto port = [&](int place) {
    return static_cast<std::uint16_t>(count > place ? std::atoi(arguments[place]) : 0);
  };
  bench::Relay(port(1), port(2)).run();
}
