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

std::string_view to_string(EndedBy ended_by) noexcept;
std::string_view to_string(Phase phase) noexcept;

struct Outcome {
  EndedBy ended_by = EndedBy::complete;
  Phase phase = Phase::links;
  int status = 0;               // sent to the client; 0: none was
  std::optional<Error> error;   // why, where it did not end well or the answer is an error of ours
  std::uint64_t bytes_in = 0;   // of the request's body, as read from the client
  std::uint64_t bytes_out = 0;  // of the answer's body, decoded
  unsigned attempts = 0;        // at the upstream; 0: it was not asked
  Clock::time_point started{};
  Clock::time_point head_received{};  // of the upstream's answer; zero: none
  Clock::time_point ended{};
};

}  // namespace aifd::chain
