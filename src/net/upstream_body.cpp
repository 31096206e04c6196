#include "aifd/net/upstream_body.hpp"

#include <algorithm>

namespace aifd::net {

using chain::Piece;
using protocol::BodyKind;

UpstreamBody::UpstreamBody(UpstreamConnection& connection, protocol::BodyFraming framing,
                           std::chrono::milliseconds idle_timeout, bool& read_whole)
    : connection_(connection),
      framing_(framing),
      idle_timeout_(idle_timeout),
      read_whole_(read_whole),
      left_(framing.length) {}

bool UpstreamBody::ready() const noexcept {
  return !connection_.buffered().empty() || (framing_.kind == BodyKind::length && left_ == 0);
}

std::optional<Result<Piece>> UpstreamBody::try_next() {
  if (!ready()) return std::nullopt;
  Result<Piece> piece = take();
  if (piece && !piece->last && piece->bytes.empty()) return std::nullopt;  // framing only
  if (piece && piece->last) {
    read_whole_ = true;
    connection_.expect_nothing();
  }
  return piece;
}

Task<Result<Piece>> UpstreamBody::next() {
  for (;;) {
    if (std::optional<Result<Piece>> piece = try_next()) co_return *std::move(piece);
    connection_.consume_all(framing_.kind != BodyKind::length);
    connection_.expect_within(idle_timeout_, ErrorKind::upstream_idle_timeout);
    const Result<bool> more = co_await connection_.fill();
    connection_.expect_nothing();
    if (!more) co_return more.error();
    if (!*more) co_return ended_early();
  }
}

// Bytes past the body's end stay in the connection, which is then not used again.
Result<Piece> UpstreamBody::take() {
  const std::span<char> bytes = connection_.buffered();
  if (framing_.kind == BodyKind::chunked) {
    const Result<protocol::ChunkedDecoder::Step> step = decoder_.decode(bytes);
    if (!step) {
      Error error = step.error();
      error.kind = ErrorKind::upstream_malformed;
      error.source = ErrorSource::upstream;
      return error;
    }
    connection_.consume(step->consumed);
    return Piece{step->payload, decoder_.done()};
  }
  std::size_t count = bytes.size();
  bool last = false;
  if (framing_.kind == BodyKind::length) {
    count = std::min<std::uint64_t>(count, left_);
    left_ -= count;
    last = left_ == 0;
  }
  connection_.consume(count);
  return Piece{{bytes.data(), count}, last};
}

Result<Piece> UpstreamBody::ended_early() {
  if (framing_.kind == BodyKind::until_close) {
    read_whole_ = true;
    return Piece{{}, true};
  }
  return Error{ErrorKind::upstream_broke, ErrorSource::upstream, false,
               "The upstream closed the connection before its answer was complete."};
}

}  // namespace aifd::net
