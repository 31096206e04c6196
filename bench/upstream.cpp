// A model server for measurements: one thread that answers chat requests as they order
// (orders.hpp).
//   bench_upstream [--tls CERTIFICATE KEY] [PORT]     prints the port it listens on

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "channel.hpp"
#include "message_reader.hpp"
#include "orders.hpp"
#include "sockets.hpp"

namespace bench {
namespace {

struct Stream {
  Orders orders;
  EventTemplate event;  // with its chunk's framing
  std::uint32_t next = 0;
  std::int64_t due = 0;  // of the next event, where they are paced
};

struct Client {
  Client(Channel its_channel, std::uint64_t its_serial)
      : channel(std::move(its_channel)), serial(its_serial) {}

  int socket() const { return channel.socket(); }

  Channel channel;
  std::uint64_t serial;  // no two connections have the same, though sockets are used again
  MessageReader reader{MessageReader::Kind::request};
  std::string body;
  std::string out;  // what the socket has not taken yet
  bool waits_for_room = false;
  bool closes = false;  // once `out` is sent
  std::optional<Stream> stream;
};

struct Timer {
  std::int64_t due;
  int socket;
  std::uint64_t serial;
  bool operator<(const Timer& other) const { return due > other.due; }  // the earliest on top
};

bool at_once(const Orders& orders) {
  return orders.gap_us == 0;
}

std::string chunk(std::string_view data) {
  char size[20];
  std::snprintf(size, sizeof(size), "%zx\r\n", data.size());
  return std::string(size).append(data).append("\r\n");
}

EventTemplate event_chunk(std::uint32_t id) {
  EventTemplate event(id);
  const std::size_t size = event.bytes.size();
  event.bytes = chunk(event.bytes);
  const std::size_t moved = event.bytes.size() - size - 2;
  event.index_place += moved;
  event.time_place += moved;
  return event;
}

std::string head(const char* status, const char* type, const std::string& framing) {
  return std::string("HTTP/1.1 ") + status +
         "\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: mock\r\nContent-Type: " + type +
         "\r\nopenai-processing-ms: 5\r\nx-request-id: req_0123456789abcdef\r\n" + framing + "\r\n";
}

std::string whole_answer(const char* status, const std::string& body) {
  return head(status, "application/json",
              "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         body;
}

// A head as text that may stand in a JSON string.
std::string as_text(std::string head) {
  for (char& byte : head) {
    if (byte == '"' || byte == '\\') byte = '\'';
    if (byte == '\r' || byte == '\n') byte = '|';
  }
  return head;
}

class Server {
 public:
  // `tls` may be nullptr, or must outlive this.
  Server(std::uint16_t port, const Tls* tls) : tls_(tls), listener_(listen_on_loopback(port)) {
    poller_.add(listener_, EPOLLIN, nullptr);
    std::printf("port %d\n", port_of(listener_));
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    epoll_event events[256];
    for (;;) {
      const int count = poller_.wait(events, 256, time_to_next());
      for (int i = 0; i < count; ++i) {
        if (events[i].data.ptr == nullptr)
          accept_all();
        else
          serve(*static_cast<Client*>(events[i].data.ptr), events[i].events);
      }
      gone_.clear();
      send_due();
      gone_.clear();
    }
  }

 private:
  std::int64_t time_to_next() const {
    if (timers_.empty()) return -1;
    return std::max<std::int64_t>(0, timers_.top().due - now_ns());
  }

  void accept_all() {
    for (int socket = accept_from(listener_); socket >= 0; socket = accept_from(listener_)) {
      if (clients_.size() <= static_cast<std::size_t>(socket)) clients_.resize(socket + 1);
      clients_[socket] = std::make_unique<Client>(Channel(socket, tls_), ++serial_);
      poller_.add(socket, EPOLLIN, clients_[socket].get());
    }
  }

  void serve(Client& client, std::uint32_t events) {
    if (client.socket() < 0) return;
    if ((events & EPOLLOUT) != 0) flush(client);
    if (client.socket() >= 0 && (events & ~EPOLLOUT) != 0) read(client);
  }

  void read(Client& client) {
    const long size = client.channel.receive(buffer_.data(), buffer_.size());
    if (size == -1) return;
    if (size <= 0) return close_client(client);
    const std::size_t used =
        client.reader.take({buffer_.data(), static_cast<std::size_t>(size)},
                           [&](std::string_view bytes) { client.body += bytes; });
    if (client.reader.broken() || used != static_cast<std::size_t>(size)) {
      std::fprintf(stderr, "upstream: a malformed or pipelined request\n");
      return close_client(client);
    }
    if (client.reader.done()) answer(client);
  }

  void answer(Client& client) {
    const std::optional<Orders> orders = orders_in(client.body);
    if (orders) ++answered_;
    if (orders && orders->events != 0) return begin_stream(client, *orders);
    if (orders) {
      const std::string text =
          orders->echo != 0 ? as_text(client.reader.head()) : answer_text(*orders);
      client.out += whole_answer("200 OK", answer_with(orders->id, text));
    } else if (client.body.empty()) {
      client.out += whole_answer("200 OK", answered());
    } else {
      client.out += whole_answer(
          "400 Bad Request",
          R"({"error":{"message":"bench_upstream: the request's body did not arrive whole"}})");
    }
    client.body.clear();
    end_answer(client);
  }

  // So many chat requests have come: what a cache answers does not.
  std::string answered() const {
    return R"({"object":"list","data":[],"answered":)" + std::to_string(answered_) + "}";
  }

  void begin_stream(Client& client, const Orders& orders) {
    client.stream.emplace(Stream{orders, event_chunk(orders.id)});
    client.out +=
        head("200 OK", "text/event-stream; charset=utf-8", "Transfer-Encoding: chunked\r\n");
    client.body.clear();
    if (at_once(orders)) return flush(client);
    client.stream->due = now_ns();
    send_paced(client);
  }

  void send_due() {
    const std::int64_t now = now_ns();
    while (!timers_.empty() && timers_.top().due <= now) {
      const Timer timer = timers_.top();
      timers_.pop();
      const auto& client = clients_[timer.socket];
      if (client && client->serial == timer.serial && client->stream) send_paced(*client);
    }
  }

  // One event, and the timer of the next. A client that does not keep up has them queued.
  void send_paced(Client& client) {
    Stream& stream = *client.stream;
    add_event(client);
    if (stream.next < stream.orders.events) {
      stream.due += stream.orders.gap_us * 1000LL;
      timers_.push({stream.due, client.socket(), client.serial});
      flush(client);
    } else {
      end_stream(client);
    }
  }

  void add_event(Client& client) {
    Stream& stream = *client.stream;
    stream.event.fill(stream.next++, static_cast<std::uint64_t>(now_ns()));
    client.out += stream.event.bytes;
  }

  void end_stream(Client& client) {
    client.out += chunk(stream_end(client.stream->orders.id)) + "0\r\n\r\n";
    client.stream.reset();
    end_answer(client);
  }

  void end_answer(Client& client) {
    client.closes = client.reader.closes();
    client.reader.restart();
    flush(client);
  }

  // Writes what waits; then, where events go out at once, one write for each.
  void flush(Client& client) {
    while (send_out(client) && client.stream && at_once(client.stream->orders)) {
      if (client.stream->next == client.stream->orders.events) return end_stream(client);
      add_event(client);
    }
    if (client.closes && client.out.empty() && client.socket() >= 0) close_client(client);
  }

  // Whether all was sent.
  bool send_out(Client& client) {
    if (!client.out.empty()) {
      const long sent = client.channel.send(client.out);
      if (sent < 0) {
        close_client(client);
        return false;
      }
      client.out.erase(0, static_cast<std::size_t>(sent));
    }
    const bool waits = !client.out.empty();
    if (waits != client.waits_for_room) {
      client.waits_for_room = waits;
      poller_.change(client.socket(), waits ? EPOLLIN | EPOLLOUT : EPOLLIN, &client);
    }
    return !waits;
  }

  void close_client(Client& client) {
    gone_.push_back(std::move(clients_[client.socket()]));
    client.channel.close();
  }

  const Tls* tls_;
  int listener_;
  Poller poller_;
  std::uint64_t serial_ = 0;
  std::uint64_t answered_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;  // by socket
  std::vector<std::unique_ptr<Client>> gone_;     // until no event of this round can mean them
  std::priority_queue<Timer> timers_;
  std::string buffer_ = std::string(256 * 1024, '\0');
};

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  bench::raise_file_limit();
  std::optional<bench::Tls> tls;
  int used = 1;
  if (count > 3 && std::string_view(arguments[1]) == "--tls") {
    tls = bench::Tls::server(arguments[2], arguments[3]);
    used = 4;
  }
  const int port = count > used ? std::atoi(arguments[used]) : 0;
  bench::Server(static_cast<std::uint16_t>(port), tls ? &*tls : nullptr).run();
}
