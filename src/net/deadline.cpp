#include "aifd/net/deadline.hpp"

#include <utility>

namespace aifd::net {

Deadline::Deadline(Ticker& ticker) : ticker_(ticker) {
  ticker_.add(*this);
}

Deadline::~Deadline() {
  ticker_.remove(*this);
}

Ticker::Ticker(asio::io_context& loop) : timer_(loop.get_executor()) {}

void Ticker::add(Deadline& deadline) {
  deadline.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &deadline;
  first_ = &deadline;
  if (!armed_) arm();
}

void Ticker::remove(Deadline& deadline) noexcept {
  if (iterator_ == &deadline) iterator_ = deadline.next_;
  if (deadline.previous_ != nullptr) {
    deadline.previous_->next_ = deadline.next_;
  } else {
    first_ = deadline.next_;
  }
  if (deadline.next_ != nullptr) deadline.next_->previous_ = deadline.previous_;
}

void Ticker::arm() {
  armed_ = true;
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    armed_ = false;
    if (ec) return;
    tick();
    if (first_ != nullptr) arm();
  });
}

void Ticker::tick() noexcept {
  const Clock::time_point now = Clock::now();
  iterator_ = first_;
  while (iterator_ != nullptr) {
    Deadline& deadline = *std::exchange(iterator_, iterator_->next_);
    if (deadline.at_ > now) continue;
    deadline.clear();
    deadline.on_deadline();
  }
}

}  // namespace aifd::net
