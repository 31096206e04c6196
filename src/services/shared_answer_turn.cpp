#include "shared_answer_turn.hpp"

#include <algorithm>

namespace aifd::services {

SharedAnswer::Turn::~Turn() {
  const std::shared_ptr<LoopGate> call_loop = stops_call_ ? state_.call_loop : nullptr;
  lock_.unlock();
  if (rings_) {
    for (auto& bell : answer_.to_ring_) Bell::ring(std::move(bell));
    answer_.to_ring_.clear();
  }
  if (room_) Bell::ring(std::move(room_));
  if (call_loop) call_loop->post([answer = answer_.shared_from_this()] { answer->stop_call(); });
  if (tells_closed_ && answer_.on_closed_) answer_.on_closed_(answer_);
}

void SharedAnswer::Turn::close() noexcept {
  tells_closed_ = tells_closed_ || !state_.closed;
  state_.closed = true;
}

void SharedAnswer::Turn::wake(Seat& seat) {
  seat.waits_for = WaitsFor::nothing;
  answer_.to_ring_.push_back(seat.bell);
  rings_ = true;
}

void SharedAnswer::Turn::wake(WaitsFor what) {
  for (Seat& seat : state_.seats) {
    if (seat.waits_for == what) wake(seat);
  }
}

void SharedAnswer::Turn::finish(Result<void> result) {
  if (result && !state_.head) {
    result = Error{ErrorKind::internal, ErrorSource::aifd, false, "The answer had no head."};
  }
  state_.ended = std::move(result);
  close();
  for (Seat& seat : state_.seats) {
    if (seat.waits_for != WaitsFor::nothing) wake(seat);
  }
}

std::uint64_t SharedAnswer::Turn::end() const noexcept {
  return state_.entry ? state_.entry->body.size() : state_.window.end();
}

std::string_view SharedAnswer::Turn::ahead_of(const Seat& seat) const noexcept {
  if (!state_.entry) return state_.window.from(seat.position);
  return std::string_view(state_.entry->body).substr(static_cast<std::size_t>(seat.position));
}

// The call waits for those that lag, or for one that has read everything.
void SharedAnswer::Turn::advance(Seat& seat, std::size_t bytes) {
  const bool lagged = lags(seat, end());
  seat.position += bytes;
  if ((lagged && !lags(seat, end())) || seat.position == end()) wake_call();
}

void SharedAnswer::Turn::put_out(Seat& seat) {
  if (seat.out) return;
  seat.out = true;
  wake_call();
  if (--state_.present > 0 || state_.ended) return;
  state_.deserted = true;
  stops_call_ = true;
  close();
}

void SharedAnswer::Turn::leave(std::list<Seat>::iterator seat) {
  put_out(*seat);
  state_.seats.erase(seat);
}

// Who waits for the whole has no use for less.
void SharedAnswer::Turn::stop_recording() {
  state_.recorded = false;
  state_.rhythm.take();
  for (Seat& seat : state_.seats) {
    if (seat.waits_for == WaitsFor::end) put_out(seat);
  }
  wake(WaitsFor::end);
  close();
}

bool SharedAnswer::Turn::lags(const Seat& seat, std::uint64_t newest) const noexcept {
  return !seat.out && newest - seat.position > answer_.most_behind_bytes_;
}

bool SharedAnswer::Turn::make_room(std::uint64_t newest) {
  bool one_lags = false;
  bool one_has_all = false;
  for (const Seat& seat : state_.seats) {
    one_lags = one_lags || lags(seat, newest);
    one_has_all = one_has_all || (!seat.out && seat.position == newest);
  }
  if (!one_lags) return true;
  if (!one_has_all) return false;
  for (Seat& seat : state_.seats) {
    if (lags(seat, newest)) put_out(seat);
  }
  return true;
}

void SharedAnswer::Turn::drop_read() {
  std::uint64_t slowest = end();
  for (const Seat& seat : state_.seats) {
    if (!seat.out) slowest = std::min(slowest, seat.position);
  }
  state_.window.drop_before(slowest);
}

void SharedAnswer::Turn::wake_call() noexcept {
  if (state_.room) room_ = std::exchange(state_.room, nullptr);
}

}  // namespace aifd::services
