#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// CLOCK_MONOTONIC, which is one for all processes of a machine.
std::int64_t now_ns();

// Ends the program with a message on stderr.
[[noreturn]] void die(const std::string& message);

// As many open files as the system lets this process have.
void raise_file_limit();

// All sockets are non-blocking and without Nagle's delay.
int listen_on_loopback(std::uint16_t port);  // 0: one that the system chooses
std::uint16_t port_of(int listener);
int accept_from(int listener);  // -1: nobody waits

// A connection to 127.0.0.1 that may still be under way. `source` picks one of 100 loopback
// addresses to come from, so that a connection per request does not use up the ports of one.
int connect_to_loopback(std::uint16_t port, std::uint32_t source = 0);

// What connect() ended with, once the socket is writable.
int connect_error(int socket);

// Bytes taken or given; 0: would block (send_some) or end of stream (receive_some).
// Receiving gives -1 where nothing is there yet, both give -2 where the connection broke.
long send_some(int socket, std::string_view bytes);
long receive_some(int socket, char* buffer, std::size_t size);

class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int socket, std::uint32_t events, void* owner);
  void change(int socket, std::uint32_t events, void* owner);

  // Returns how many of `events` were filled. A negative time waits for ever.
  int wait(epoll_event* events, int size, std::int64_t nanoseconds);

 private:
  int descriptor_;
};

}  // namespace bench
