// Watches one answer on its way to the client.
#pragma once

#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/chain/outcome.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::chain {

inline constexpr Clock::time_point kAtOnce = Clock::time_point::min();

// Owned by its Exchange, called on its worker's thread. Order: on_head at most once, on_chunk for
// each piece, on_done exactly once, on every path, also when the client has gone or no head came.
class Tap {
 public:
  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;
  virtual ~Tap() = default;

  // May edit fields, never the body or the status. Views put in must outlive the exchange
  // (Exchange::keep).
  virtual void on_head(protocol::ResponseHead& /*head*/) {}

  // The earliest time to write this piece; kAtOnce for none. Copies what it wants; never waits.
  virtual Clock::time_point on_chunk(std::string_view /*bytes*/) noexcept { return kAtOnce; }

  virtual void on_done(const Outcome& /*outcome*/) noexcept {}
};

// Cuts what came at once into pieces of their own.
class Cutter {
 public:
  Cutter() = default;
  Cutter(const Cutter&) = delete;
  Cutter& operator=(const Cutter&) = delete;
  virtual ~Cutter() = default;

  // How much of what has come, and is not empty, is the next piece: 1 to bytes.size().
  virtual std::size_t cut(std::string_view bytes) noexcept = 0;
};

}  // namespace aifd::chain
