// The body of an upstream's answer, read from its connection.
#pragma once

#include <chrono>

#include "aifd/chain/body_source.hpp"
#include "aifd/net/upstream_connection.hpp"
#include "aifd/protocol/chunked.hpp"
#include "aifd/protocol/framing.hpp"

namespace aifd::net {

// Errors of next(): upstream_broke where the answer is cut, upstream_malformed where its chunks
// are, upstream_idle_timeout, or why the exchange was stopped.
class UpstreamBody final : public chain::BodySource {
 public:
  // The connection outlives this. `read_whole` is set once the body has been read to its end.
  UpstreamBody(UpstreamConnection& connection, protocol::BodyFraming framing,
               std::chrono::milliseconds idle_timeout, bool& read_whole);

  std::optional<Result<chain::Piece>> try_next() override;
  Task<Result<chain::Piece>> next() override;
  bool ready() const noexcept override;

 private:
  Result<chain::Piece> take();
  Result<chain::Piece> ended_early();

  UpstreamConnection& connection_;
  protocol::BodyFraming framing_;
  std::chrono::milliseconds idle_timeout_;
  bool& read_whole_;
  protocol::ChunkedDecoder decoder_;
  std::uint64_t left_;  // of BodyKind::length
};

}  // namespace aifd::net
