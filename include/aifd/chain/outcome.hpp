// How an exchange ended: one value, made in one place, handed to every tap.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aifd/base/clock.hpp"
#include "aifd/base/error.hpp"

namespace aifd::chain {

enum class EndedBy { complete, client, upstream, aifd };

// Where the exchange was when it ended.
enum class Phase {
  links,      // in the chain: an answer made here
  connect,    // waiting for an upstream connection
  upload,     // sending the request up
  wait_head,  // the request is up, no answer yet
  stream,     // the answer's body is on its way
  tunnel,     // after a 101
};

// What was read of an answer for nobody but the taps, after its client had left (CLIENT_GONE).
enum class Drained {
  no,
  whole,  // to its end
  cut,    // not to its end: a bound was reached, or it broke
};

std::string_view to_string(EndedBy ended_by) noexcept;
std::string_view to_string(Phase phase) noexcept;
std::string_view to_string(Drained drained) noexcept;  // "" for no

struct Outcome {
  EndedBy ended_by = EndedBy::complete;
  Phase phase = Phase::links;
  int status = 0;               // sent to the client; 0: none was
  std::optional<Error> error;   // why, where it did not end well or the answer is an error of ours
  std::uint64_t bytes_in = 0;   // of the request's body, as read from the client
  std::uint64_t bytes_out = 0;  // of the answer's body, decoded
  Drained drained = Drained::no;
  std::uint64_t bytes_drained = 0;  // of bytes_out: what the client did not get
  unsigned attempts = 0;            // at the upstream; 0: it was not asked
  bool answered = false;            // the client got an answer, whole as far as the sender knows
  Clock::time_point started{};
  // For the request's body, and for upstreams whom somebody else had asked; of that, what fell into
  // the time until this exchange's own upstream answered.
  Clock::duration awaited{0};
  Clock::duration awaited_meanwhile{0};
  Clock::time_point asked{};          // when the upstream was turned to; zero: it was not
  Clock::time_point head_received{};  // of the upstream's answer; zero: none
  Clock::time_point ended{};

  // Until the upstream's head came, since it was asked: with connecting and tries that failed, but
  // not with what its client let it wait. Zero where there was none.
  Clock::duration upstream_time() const noexcept {
    if (asked == Clock::time_point{} || head_received <= asked) return Clock::duration{0};
    return head_received - asked - awaited_meanwhile;
  }
  // What passed from the request's head to now inside aifd, its stores and Redis included: waiting
  // for client and upstream is not counted.
  Clock::duration own_time(Clock::time_point now) const noexcept {
    return now - started - awaited - upstream_time();
  }

  // Whether all of the answer was seen, be it after its client had left.
  bool seen_whole() const noexcept {
    return ended_by == EndedBy::complete || drained == Drained::whole;
  }
};

}  // namespace aifd::chain
