#include "aifd/net/client_sink.hpp"

#include <boost/asio/redirect_error.hpp>

#include "aifd/protocol/chunked.hpp"

namespace aifd::net {

using protocol::BodyKind;

void ClientSink::on_deadline() noexcept {
  stopper_.stop({ErrorKind::client_timeout, ErrorSource::client, false,
                 "The client did not read its answer for IDLE_TIMEOUT."});
  stop();
}

ClientSink::ClientSink(Stream& stream, LoopExecutor executor, chain::Stopper& stopper,
                       Ticker& ticker, Options options)
    : Deadline(ticker), stream_(stream), pace_(executor), stopper_(stopper), options_(options) {}

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
  if (ec) return write_error();
  if (!pending_.empty()) return false;
  pending_.clear();
  return true;
}

Task<Result<void>> ClientSink::flush() {
  if (pending_.empty()) co_return Result<void>{};
  untouched_ = false;
  error_code ec;
  stream_.try_write(pending_, ec);
  if (!ec && !pending_.empty()) {
    const chain::Stopper::Guard guard(stopper_, *this);
    set_after(options_.write_timeout);
    co_await stream_.write(pending_, ec);
    clear();
  }
  if (ec) co_return write_error();
  pending_.clear();
  co_return Result<void>{};
}

Task<Result<void>> ClientSink::wait_until(Clock::time_point when) {
  const chain::Stopper::Guard guard(stopper_, *this);
  if (stopper_.stopped()) co_return *stopper_.reason();
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
  if (stopper_.stopped()) return *stopper_.reason();
  return {ErrorKind::client_gone, ErrorSource::client, false,
          "The client closed the connection while it was answered."};
}

}  // namespace aifd::net
