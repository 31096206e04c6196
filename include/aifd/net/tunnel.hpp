// Bytes both ways after a 101, unparsed.
#pragma once

#include <chrono>
#include <cstdint>

#include "aifd/base/error.hpp"
#include "aifd/chain/stopper.hpp"
#include "aifd/net/client_input.hpp"
#include "aifd/net/upstream_connection.hpp"

namespace aifd::net {

struct TunnelEnd {
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  ErrorSource ended_by =
      ErrorSource::client;  // who closed first; aifd: silence for the idle timeout
};

// Runs until either side ends, both are silent for `idle`, or `stopper` stops it. One piece in
// flight each way. Both connections are of no further use afterwards.
Task<TunnelEnd> run_tunnel(Stream& client, ClientInput& input, UpstreamConnection& upstream,
                           chain::Stopper& stopper, LoopExecutor executor,
                           std::chrono::milliseconds idle);

}  // namespace aifd::net
