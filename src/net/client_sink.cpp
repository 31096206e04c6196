#include "aifd/net/client_sink.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

#include "aifd/chain/faults.hpp"
#include "aifd/protocol/chunked.hpp"

namespace aifd::net {

using protocol::BodyKind;

namespace {

// Only what the upstream works at, and so bills, is worth the wait.
bool is_under_way(const chain::Exchange& exchange) {
  const chain::Phase phase = exchange.progress.phase;
  if (phase != chain::Phase::wait_head && phase != chain::Phase::stream) return false;
  return !exchange.is_under_way || exchange.is_under_way();
}

}  // namespace

void ClientSink::on_deadline() noexcept {
  if (alone_) {
    stopper_.stop(chain::client_gone());
    return;
  }
  stopper_.stop({ErrorKind::client_timeout, ErrorSource::client, false,
                 "The client did not read its answer for IDLE_TIMEOUT."});
  stop();
}

ClientSink::ClientSink(Stream& stream, LoopExecutor executor, chain::Exchange& exchange,
                       Ticker& ticker, Options options)
    : Deadline(ticker),
      stream_(stream),
      pace_(executor),
      exchange_(exchange),
      stopper_(exchange.stopper),
      options_(options) {}

bool ClientSink::go_on_alone() noexcept {
  if (alone_) return true;
  const bool wanted = exchange_.drain.most_bytes > 0 && is_under_way(exchange_);
  if (!wanted || stopper_.stopped()) return false;
  alone_ = true;
  left_in_ = exchange_.progress.phase;
  exchange_.progress.drained = chain::Drained::cut;  // until its end is seen
  set_after(exchange_.drain.most_time);
  pace_.cancel();
  cut();
  return true;
}

void ClientSink::cut() noexcept {
  if (ends_by_close_ || untouched_) {
    stream_.reset();
  } else {
    stream_.close();
  }
}

// Of the piece that is being written; what frames it may count too.
std::size_t ClientSink::unsent() const noexcept {
  return std::min(piece_bytes_, asio::buffer_size(pending_));
}

Result<bool> ClientSink::drop(std::size_t bytes) noexcept {
  pending_.clear();
  exchange_.progress.bytes_drained += bytes;
  if (exchange_.progress.bytes_drained > exchange_.drain.most_bytes) return chain::client_gone();
  return true;
}

protocol::BodyFraming ClientSink::framing_for_client(const protocol::BodyFraming& framing) {
  if (framing.kind == BodyKind::none || framing.kind == BodyKind::length) return framing;
  if (options_.client_version_minor == 0) {
    ends_by_close_ = true;
    options_.keep_alive = false;
    return {BodyKind::until_close, 0};
  }
  chunked_ = true;
  return {BodyKind::chunked, 0};
}

void ClientSink::begin(const protocol::ResponseHead& head, const protocol::BodyFraming& framing) {
  head_.clear();
  pending_.clear();
  chunked_ = false;
  const protocol::BodyFraming to_client = framing_for_client(framing);
  const bool ask_keep_alive = options_.keep_alive && options_.client_version_minor == 0;
  protocol::append_response_head(head_, head, to_client,
                                 {.client_version_minor = options_.client_version_minor,
                                  .close = !options_.keep_alive,
                                  .keep_alive = ask_keep_alive,
                                  .upgrade = {}});
  pending_.add(head_);
}

Result<bool> ClientSink::write(const chain::Piece& piece) {
  if (alone_) return drop(piece.bytes.size());
  piece_bytes_ = piece.bytes.size();
  if (chunked_ && !piece.bytes.empty()) {
    pending_.add(protocol::chunk_header(piece.bytes.size(), chunk_header_));
    pending_.add(piece.bytes);
    pending_.add(piece.last ? protocol::kChunkEndAndLast : protocol::kChunkEnd);
  } else if (chunked_ && piece.last) {
    pending_.add(protocol::kLastChunk);
  } else {
    pending_.add(piece.bytes);
  }
  if (pending_.empty()) return true;
  untouched_ = false;
  error_code ec;
  stream_.try_write(pending_, ec);
  if (ec && go_on_alone()) return drop(unsent());
  if (ec) return write_error();
  if (!pending_.empty()) return false;
  pending_.clear();
  if (!head_.empty()) std::string().swap(head_);  // sent; the rest of a stream may take long
  return true;
}

Task<Result<void>> ClientSink::flush() {
  if (alone_) pending_.clear();
  if (pending_.empty()) co_return Result<void>{};
  untouched_ = false;
  error_code ec;
  stream_.try_write(pending_, ec);
  if (!ec && !pending_.empty()) {
    const chain::Stopper::Guard guard(stopper_, *this);
    set_after(options_.write_timeout);
    co_await stream_.write(pending_, ec);
    if (!alone_) clear();
  }
  if (ec && !go_on_alone()) co_return write_error();
  pending_.clear();
  co_return Result<void>{};
}

Task<Result<void>> ClientSink::wait_until(Clock::time_point when) {
  const chain::Stopper::Guard guard(stopper_, *this);
  if (stopper_.stopped()) co_return *stopper_.reason();
  if (alone_) co_return Result<void>{};
  pace_.expires_at(when);
  error_code ec;
  co_await pace_.async_wait(asio::redirect_error(kAwait, ec));
  if (stopper_.stopped()) co_return *stopper_.reason();
  co_return Result<void>{};
}

void ClientSink::stop() noexcept {
  pace_.cancel();
  error_code ignored;
  stream_.socket().cancel(ignored);
}

Error ClientSink::write_error() const {
  return stopper_.stopped() ? *stopper_.reason() : chain::client_gone();
}

}  // namespace aifd::net
