// Errors that end exchanges in several places.
#pragma once

#include "aifd/base/error.hpp"

namespace aifd::chain {

// An exception where none belongs: the log has it.
inline Error failed_here() {
  return {ErrorKind::internal, ErrorSource::aifd, false,
          "aifd could not serve this request; its log says why."};
}

// The caller has left.
inline Error client_gone() {
  return {ErrorKind::client_gone, ErrorSource::client, false,
          "The client closed the connection before its answer was complete."};
}

// Shutting down, and out of DRAIN_TIMEOUT.
inline Error cut_by_shutdown() {
  return {ErrorKind::draining, ErrorSource::aifd, false,
          "aifd is shutting down and could not wait any longer (DRAIN_TIMEOUT)."};
}

}  // namespace aifd::chain
