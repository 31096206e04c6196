#include "aifd/net/connect_race.hpp"

namespace aifd::net {

ConnectRace::ConnectRace(LoopExecutor executor, std::vector<tcp::endpoint> endpoints)
    : executor_(executor),
      endpoints_(std::move(endpoints)),
      stagger_(executor),
      result_(asio::error::host_not_found),
      done_(executor) {
  attempts_.reserve(endpoints_.size());  // sockets must not move while they connect
}

Task<Socket> ConnectRace::run(error_code& ec) {
  start_next();
  co_await done_.wait();
  ec = result_;
  if (winner_) co_return std::move(*winner_);
  co_return Socket(executor_);
}

void ConnectRace::stop() noexcept {
  finish(asio::error::operation_aborted);
}

void ConnectRace::start_next() {
  if (finished_) return;
  if (attempts_.size() == endpoints_.size()) {
    if (running_ == 0) finish(result_);
    return;
  }
  const std::size_t index = attempts_.size();
  Socket& socket = attempts_.emplace_back(executor_);
  ++running_;
  socket.async_connect(endpoints_[index], [self = shared_from_this(), index](const error_code& ec) {
    self->on_connect(index, ec);
  });
  if (attempts_.size() == endpoints_.size()) return;
  stagger_.expires_after(kStagger);
  stagger_.async_wait([self = shared_from_this()](const error_code& ec) {
    if (!ec) self->start_next();
  });
}

void ConnectRace::on_connect(std::size_t index, const error_code& ec) {
  --running_;
  if (finished_) return;
  if (ec) {
    result_ = ec;
    stagger_.cancel();
    start_next();
    return;
  }
  winner_.emplace(std::move(attempts_[index]));
  finish({});
}

void ConnectRace::finish(const error_code& ec) {
  if (finished_) return;
  finished_ = true;
  result_ = ec;
  stagger_.cancel();
  for (Socket& attempt : attempts_) {
    error_code ignored;
    attempt.close(ignored);
  }
  done_.set();
}

}  // namespace aifd::net
