#include "load/connection.hpp"

#include <sys/epoll.h>

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

std::uint32_t next_number() {
  static std::uint32_t last = 0;
  return ++last % 100'000'000;
}

}  // namespace

Connection::Connection(const Options& options, const Tls* tls, Poller& poller, Report& report)
    : options_(options),
      tls_(tls),
      poller_(poller),
      report_(report),
      verifier_(make_verifier(options, report)) {
  const std::string body = request_body(options.orders, options.model);
  request_ = request_head(options, body.size());
  id_place_ = request_.size() + id_place(body);
  request_ += body;
}

void Connection::ask(std::int64_t due) {
  const std::uint32_t number = next_number();
  const std::uint32_t id = options_.same ? 0 : number;
  put_digits(request_.data() + id_place_, kIdDigits, id);
  verifier_->begin(id);
  reader_.restart();
  due_ = due;
  sent_ = 0;
  busy_ = true;
  first_byte_seen_ = false;
  if (open()) return send_rest();
  channel_ = Channel(connect_to_loopback(options_.port, number), tls_);
  watched_ = EPOLLIN | EPOLLOUT;
  poller_.add(channel_.socket(), watched_, this);
}

void Connection::on_events(std::uint32_t events, std::string& buffer) {
  if (!open()) return;
  if (busy_ && ((events & EPOLLOUT) != 0 || channel_.waits_for_peer())) send_rest();
  if (open() && (events & ~EPOLLOUT) != 0) read(buffer);
}

void Connection::send_rest() {
  const long sent = channel_.send(std::string_view(request_).substr(sent_));
  if (sent < 0)
    return fail(std::string("cannot send: ") + std::strerror(connect_error(channel_.socket())));
  sent_ += static_cast<std::size_t>(sent);
  const bool wants_room = sent_ < request_.size() && !channel_.waits_for_peer();
  watch(wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Connection::read(std::string& buffer) {
  const long size = channel_.receive(buffer.data(), buffer.size());
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
  poller_.change(channel_.socket(), events, this);
}

void Connection::drop() {
  channel_.close();
}

}  // namespace bench
