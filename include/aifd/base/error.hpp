// What went wrong, in one value that every layer understands.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace aifd {

// Every way an exchange can fail. The name of a kind (see error_name) is what the access log says;
// its status is what a caller sees (see error_status).
enum class ErrorKind {
  bad_request,                  // the request is not valid HTTP/1.x, or its framing is ambiguous
  not_implemented,              // a transfer coding or method aifd does not serve
  head_too_large,               // head over 64 KiB or 256 fields
  body_too_large,               // body over MAX_BODY_BYTES, or over what a link must read whole
  client_timeout,               // the request did not arrive within CLIENT_TIMEOUT
  client_gone,                  // the client closed its side before the answer was complete
  misdirected,                  // an absolute target that names another authority
  upgrade_refused,              // an upgrade where none is possible
  address_denied,               // refused by IP_WHITELIST / IP_BLACKLIST
  unauthorized,                 // a key is required and none that is known was given
  model_denied,                 // the caller's level may not use this model
  rate_limited,                 // over the request or token limit
  no_route,                     // no route's prefix matches, or the path leaves base_url
  not_cached,                   // only-if-cached, and the cache has no answer
  draining,                     // shutting down
  overloaded,                   // over the connection limit
  upstream_unreachable,         // name not found, refused, no network, proxy refused
  upstream_tls,                 // handshake or certificate failed
  upstream_connect_timeout,     // not connected within TIMEOUT
  upstream_first_byte_timeout,  // no answer within FIRST_BYTE_TIMEOUT
  upstream_idle_timeout,        // the stream was silent for IDLE_TIMEOUT
  upstream_broke,               // closed or reset before the answer was complete
  upstream_malformed,           // the answer is not valid HTTP/1.x
  internal,                     // a fault of aifd's own
};

enum class ErrorSource { client, upstream, aifd };

struct Error {
  ErrorKind kind = ErrorKind::internal;
  ErrorSource source = ErrorSource::aifd;
  // No byte of the request can have reached the upstream: sending it again is safe for any method.
  bool retryable = false;
  // One sentence for a person, with what to do where that is known. Never holds a secret.
  std::string detail;
};

template <class T>
using Result = boost::system::result<T, Error>;

// Stable snake_case name, for logs and metrics.
std::string_view error_name(ErrorKind kind) noexcept;

// The HTTP status a caller gets. client_gone has 499, which is logged and never sent.
int error_status(ErrorKind kind) noexcept;

// Found by boost::system::result when value() is called on an error: a bug, so an exception.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace aifd
