#include "shared_answer_reader.hpp"

namespace aifd::services {
namespace {

// Of a growing recording, at once: copied under the mutex.
constexpr std::size_t kMostCopied = std::size_t{16} * 1024;

Error too_slow() {
  return {ErrorKind::client_timeout, ErrorSource::client, false,
          "The client reads an answer that it shares with others too slowly."};
}

}  // namespace

SharedAnswer::Reader::Reader(std::shared_ptr<SharedAnswer> answer, LoopExecutor loop,
                             chain::Stopper& stopper)
    : answer_(std::move(answer)), stopper_(stopper), sleeper_(loop) {
  seat_ = own_seat_.insert(own_seat_.end(), Seat{sleeper_.bell()});
}

SharedAnswer::Reader::~Reader() {
  if (own_seat_.empty()) Turn(*answer_).leave(seat_);
}

bool SharedAnswer::Reader::sit_down() {
  Turn turn(*answer_);
  if (turn->closed) return false;
  turn->seats.splice(turn->seats.end(), own_seat_);
  ++turn->present;
  return true;
}

Task<Result<const SharedHead*>> SharedAnswer::Reader::head() {
  for (;;) {
    {
      Turn turn(*answer_);
      if (auto here = head_here(turn)) co_return *std::move(here);
      seat_->waits_for = WaitsFor::head;
    }
    if (stopper_.stopped()) co_return *stopper_.reason();
    co_await sleeper_.sleep(stopper_);
  }
}

Task<Result<CacheEntryPtr>> SharedAnswer::Reader::whole() {
  for (;;) {
    {
      Turn turn(*answer_);
      if (auto here = whole_here(turn)) co_return *std::move(here);
      seat_->waits_for = WaitsFor::end;
    }
    if (stopper_.stopped()) co_return *stopper_.reason();
    co_await sleeper_.sleep(stopper_);
  }
}

std::optional<Result<chain::Piece>> SharedAnswer::Reader::try_next() {
  Turn turn(*answer_);
  return piece_here(turn);
}

Task<Result<chain::Piece>> SharedAnswer::Reader::next() {
  for (;;) {
    {
      Turn turn(*answer_);
      if (auto here = piece_here(turn)) co_return *std::move(here);
      seat_->waits_for = WaitsFor::bytes;
    }
    if (stopper_.stopped()) co_return *stopper_.reason();
    co_await sleeper_.sleep(stopper_);
  }
}

bool SharedAnswer::Reader::ready() const noexcept {
  const Turn turn(*answer_);
  return seat_->out || turn->ended || !turn.ahead_of(*seat_).empty();
}

CallProgress SharedAnswer::Reader::progress() const {
  return Turn(*answer_)->progress;
}

std::optional<Result<const SharedHead*>> SharedAnswer::Reader::head_here(Turn& turn) const {
  if (turn->head) return &*turn->head;
  if (turn->ended) return turn->ended->error();
  return std::nullopt;
}

std::optional<Result<CacheEntryPtr>> SharedAnswer::Reader::whole_here(Turn& turn) {
  if (!turn->recorded) {
    turn.put_out(*seat_);
    return CacheEntryPtr();
  }
  if (!turn->ended) return std::nullopt;
  if (!*turn->ended) return turn->ended->error();
  return turn->entry;
}

std::optional<Result<chain::Piece>> SharedAnswer::Reader::piece_here(Turn& turn) {
  if (seat_->out) return too_slow();
  if (!turn.ahead_of(*seat_).empty()) return take_piece(turn);
  if (!turn->ended) return std::nullopt;
  if (!*turn->ended) return turn->ended->error();
  return chain::Piece{{}, true};
}

chain::Piece SharedAnswer::Reader::take_piece(Turn& turn) {
  std::string_view bytes = turn.ahead_of(*seat_);
  if (!turn->entry) bytes = piece_.assign(bytes.substr(0, kMostCopied));
  turn.advance(*seat_, bytes.size());
  const bool last = seat_->position == turn.end() && turn->ended && *turn->ended;
  return {bytes, last};
}

}  // namespace aifd::services
