#include "aifd/net/client_body.hpp"

#include <algorithm>
#include <limits>

#include "aifd/net/request_reader.hpp"

namespace aifd::net {
namespace {

using chain::Piece;
using protocol::BodyKind;

constexpr std::size_t kReadBytes = 16 * 1024;

}  // namespace

ClientBody::ClientBody(Stream& stream, ClientInput& input, BlockPool& blocks,
                       protocol::BodyFraming framing, Options options)
    : stream_(stream),
      input_(input),
      blocks_(blocks),
      framing_(framing),
      options_(std::move(options)),
      ended_(framing.kind == BodyKind::none),
      continue_due_(options_.expects_continue && !ended_) {}

ClientBody::~ClientBody() {
  give_block_back();
}

void ClientBody::give_block_back() {
  blocks_.give_back(std::move(block_));
}

std::uint64_t ClientBody::left() const noexcept {
  if (ended_) return 0;
  // What is too large is not read on, however much of it is here.
  if (received_ > options_.max_bytes) return std::numeric_limits<std::uint64_t>::max();
  if (decoder_.done()) return 0;
  if (framing_.kind == BodyKind::length) return framing_.length - received_;
  return std::numeric_limits<std::uint64_t>::max();
}

bool ClientBody::ready() const noexcept {
  return left() == 0 || input_.has_buffered();
}

std::optional<Result<Piece>> ClientBody::try_next() {
  give_block_back();
  if (left() == 0) {
    end();
    return Piece{{}, true};
  }
  return give(with_what_is_here(input_.take_buffered(left())));
}

Task<Result<Piece>> ClientBody::next() {
  std::optional<Result<Piece>> piece = try_next();
  while (!piece) {
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kReadBytes);
    const Result<std::span<char>> more = co_await read_more({buffer_.get(), kReadBytes});
    if (!more) co_return more.error();
    piece = give(with_what_is_here(*more));
  }
  co_return *std::move(piece);
}

// A body in chunks is decoded on the way.
Task<Result<Piece>> ClientBody::next_into(std::span<char> room) {
  if (framing_.kind != BodyKind::length || left() == 0) co_return co_await next();
  give_block_back();
  room = room.first(std::min<std::uint64_t>(room.size(), left()));
  std::optional<Result<Piece>> piece =
      give(room.first(gather(input_.take_buffered(room.size()), room)));
  while (!piece) {
    const Result<std::span<char>> more = co_await read_more(room);
    if (!more) co_return more.error();
    piece = give(*more);
  }
  co_return *std::move(piece);
}

// Puts these bytes into the room, and behind them what has come of the body's rest.
std::size_t ClientBody::gather(std::span<const char> bytes, std::span<char> room) {
  std::ranges::copy(bytes, room.data());
  if (bytes.empty() || bytes.size() == room.size()) return bytes.size();
  return bytes.size() + stream_.try_read(room.subspan(bytes.size()));
}

// Of a body that goes on behind these bytes the rest has often come, too: it is read behind them
// and goes up in the same write. Such a piece is never the last, so that its block is back in the
// pool before the answer is waited for.
std::span<char> ClientBody::with_what_is_here(std::span<char> bytes) {
  const bool goes_on =
      framing_.kind == BodyKind::length ? bytes.size() < left() : bytes.size() >= kReadBytes;
  const bool fits = !bytes.empty() && bytes.size() < BlockPool::kBlockBytes;
  if (!goes_on || !fits || stream_.tls() != nullptr) return bytes;
  block_ = blocks_.take();
  const std::size_t most = std::min<std::uint64_t>(left(), BlockPool::kBlockBytes);
  return {block_.get(), gather(bytes, {block_.get(), most})};
}

// nullopt where the bytes hold nothing but framing.
std::optional<Result<Piece>> ClientBody::give(std::span<char> bytes) {
  if (bytes.empty()) return std::nullopt;
  Result<Piece> piece = take(bytes);
  if (piece && piece->last) end();
  if (piece && !piece->last && piece->bytes.empty()) return std::nullopt;
  return piece;
}

void ClientBody::end() {
  if (std::exchange(ended_, true)) return;
  if (options_.on_end) options_.on_end();
}

Result<Piece> ClientBody::take(std::span<char> bytes) {
  Result<Piece> piece =
      framing_.kind == BodyKind::chunked
          ? take_chunked(bytes)
          : Piece{{bytes.data(), bytes.size()}, !block_ && bytes.size() == left()};
  if (!piece) return piece;
  received_ += piece->bytes.size();
  if (received_ > options_.max_bytes) {
    return body_too_large(options_.max_bytes);
  }
  return piece;
}

Result<Piece> ClientBody::take_chunked(std::span<char> bytes) {
  const Result<protocol::ChunkedDecoder::Step> step = decoder_.decode(bytes);
  if (!step) return step.error();
  if (decoder_.done()) input_.give_back(bytes.subspan(step->consumed));
  const bool can_be_last = !block_ || step->payload.empty();
  return Piece{step->payload, can_be_last && decoder_.done()};
}

Task<Result<std::span<char>>> ClientBody::read_more(std::span<char> room) {
  if (continue_due_) {
    if (Result<void> sent = co_await send_continue(); !sent) co_return sent.error();
  }
  room = room.first(std::min<std::uint64_t>(room.size(), left()));
  error_code ec;
  if (options_.on_waiting) options_.on_waiting(true);
  const std::size_t count = co_await input_.read_some(room, ec);
  if (options_.on_waiting) options_.on_waiting(false);
  if (ec) {
    co_return Error{ErrorKind::client_gone, ErrorSource::client, false,
                    "The client closed the connection before its request was complete."};
  }
  co_return room.first(count);
}

Task<Result<void>> ClientBody::send_continue() {
  continue_due_ = false;
  BufferList buffers;
  buffers.add("HTTP/1.1 100 Continue\r\n\r\n");
  error_code ec;
  co_await stream_.write(buffers, ec);
  if (ec) co_return Error{ErrorKind::client_gone, ErrorSource::client, false, ec.message()};
  co_return Result<void>{};
}

}  // namespace aifd::net
