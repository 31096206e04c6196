#include "load/connection.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace bench {
namespace {

std::string request_head(const Options& options, std::size_t body_size) {
  return "POST " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
         "\r\nAccept: application/json\r\nContent-Type: application/json\r\nUser-Agent: "
         "OpenAI/Python 1.99.0\r\n"
         "X-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\n" +
         options.fields + (options.fresh ? "Connection: close\r\n" : "") +
         "Content-Length: " + std::to_string(body_size) + "\r\n\r\n";
}

std::uint32_t next_id() {
  static std::uint32_t last = 0;
  return ++last % 100'000'000;
}

}  // namespace

Connection::Connection(const Options& options, Poller& poller, Report& report)
    : options_(options),
      poller_(poller),
      report_(report),
      verifier_(make_verifier(options, report)) {
  const std::string body = request_body(options.orders, options.model);
  request_ = request_head(options, body.size());
  id_place_ = request_.size() + id_place(body);
  request_ += body;
}

Connection::~Connection() {
  if (socket_ >= 0) close(socket_);
}

void Connection::ask(std::int64_t due) {
  const std::uint32_t id = next_id();
  put_digits(request_.data() + id_place_, kIdDigits, id);
  verifier_->begin(id);
  reader_.restart();
  due_ = due;
  sent_ = 0;
  busy_ = true;
  first_byte_seen_ = false;
  if (socket_ >= 0) return send_rest();
  socket_ = connect_to_loopback(options_.port, id);
  watched_ = EPOLLIN | EPOLLOUT;
  poller_.add(socket_, watched_, this);
}

void Connection::on_events(std::uint32_t events, std::string& buffer) {
  if (socket_ < 0) return;
  if ((events & EPOLLOUT) != 0 && busy_) send_rest();
  if (socket_ >= 0 && (events & ~EPOLLOUT) != 0) read(buffer);
}

void Connection::send_rest() {
  const long sent = send_some(socket_, std::string_view(request_).substr(sent_));
  if (sent < 0) return fail(std::string("cannot send: ") + std::strerror(connect_error(socket_)));
  sent_ += static_cast<std::size_t>(sent);
  watch(sent_ < request_.size() ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Connection::read(std::string& buffer) {
  const long size = receive_some(socket_, buffer.data(), buffer.size());
  if (size == -1) return;
  if (size > 0) return take({buffer.data(), static_cast<std::size_t>(size)});
  if (!busy_) return drop();
  if (size == 0 && reader_.head_complete()) reader_.end_of_stream();
  if (size == 0 && reader_.done()) return finish();
  fail(reader_.begun() ? "the answer was cut" : "closed without an answer");
}

void Connection::take(std::string_view bytes) {
  const std::int64_t now = now_ns();
  if (!busy_) return fail("bytes that nobody asked for");
  const std::size_t used = reader_.take(bytes, [&](std::string_view body) {
    if (!std::exchange(first_byte_seen_, true)) {
      report_.first_byte_us.push_back(static_cast<float>(now - due_) / 1000);
    }
    if (reader_.status() == 200) verifier_->take(body, now);
  });
  if (reader_.head_complete() && reader_.status() != 200)
    return fail("status not 200: " + std::string(bytes.substr(0, 600)));
  if (reader_.broken()) return fail("malformed answer: " + std::string(bytes.substr(0, 200)));
  if (!verifier_->fault().empty()) return fail(verifier_->fault());
  if (used < bytes.size()) return fail("more bytes than the answer has");
  if (reader_.done()) finish();
}

void Connection::finish() {
  if (!verifier_->complete()) return fail("the answer is too short");
  busy_ = false;
  ++report_.requests;
  report_.latency_us.push_back(static_cast<float>(now_ns() - due_) / 1000);
  if (options_.fresh || reader_.closes()) drop();
}

void Connection::fail(const std::string& message) {
  report_.error(message);
  busy_ = false;
  drop();
}

void Connection::watch(std::uint32_t events) {
  if (events == watched_) return;
  watched_ = events;
  poller_.change(socket_, events, this);
}

void Connection::drop() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace bench
