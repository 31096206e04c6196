// A request's body as it comes from the client.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "aifd/chain/body_source.hpp"
#include "aifd/net/block_pool.hpp"
#include "aifd/net/client_input.hpp"
#include "aifd/protocol/chunked.hpp"
#include "aifd/protocol/framing.hpp"

namespace aifd::net {

// Errors of next(): client_gone, body_too_large, bad_request (chunk framing).
class ClientBody final : public chain::BodySource {
 public:
  struct Options {
    std::uint64_t max_bytes = 0;  // MAX_BODY_BYTES
    bool expects_continue = false;
    std::function<void(bool)> on_waiting;  // true before a wait for bytes, false after it
    std::function<void()> on_end;          // once the last byte has been read
  };

  ClientBody(Stream& stream, ClientInput& input, BlockPool& blocks, protocol::BodyFraming framing,
             Options options);
  ClientBody(const ClientBody&) = delete;
  ClientBody& operator=(const ClientBody&) = delete;
  ~ClientBody() override;

  std::optional<Result<chain::Piece>> try_next() override;
  Task<Result<chain::Piece>> next() override;
  Task<Result<chain::Piece>> next_into(std::span<char> room) override;
  bool ready() const noexcept override;

  bool ended() const noexcept { return ended_; }
  // Bytes that a client would still send by its Content-Length; the maximum where that is unknown,
  // or the body too large to be read on.
  std::uint64_t left() const noexcept;

 private:
  std::span<char> with_what_is_here(std::span<char> bytes);
  void give_block_back();
  std::optional<Result<chain::Piece>> give(std::span<char> bytes);
  Result<chain::Piece> take(std::span<char> bytes);
  Result<chain::Piece> take_chunked(std::span<char> bytes);
  std::size_t gather(std::span<const char> bytes, std::span<char> room);
  Task<Result<std::span<char>>> read_more(std::span<char> room);
  Task<Result<void>> send_continue();
  void end();

  Stream& stream_;
  ClientInput& input_;
  BlockPool& blocks_;
  protocol::BodyFraming framing_;
  Options options_;
  protocol::ChunkedDecoder decoder_;
  std::unique_ptr<char[]> buffer_;  // for what is waited for
  BlockPool::Block block_;          // while a piece lies in it
  std::uint64_t received_ = 0;      // decoded
  bool ended_;
  bool continue_due_;
};

}  // namespace aifd::net
