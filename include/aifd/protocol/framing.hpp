// Where a message's body ends, decided strictly: whatever is ambiguous is refused, never guessed.
// RFC 9112, sections 3.2, 5 and 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "aifd/base/error.hpp"
#include "aifd/protocol/fields.hpp"

namespace aifd::protocol {

// A head is at most this many bytes, blank line included, and this many fields; over it: 431.
inline constexpr std::size_t kMaxHeadBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxFields = 256;

// Where the head ends: the offset just past its blank line, or npos while it has not come whole.
// `from` is where to look from: what earlier calls saw, so that a slow head is not scanned again.
// A bare LF ends a line here too, so that such a head is seen at once and refused by
// check_raw_head; so is a head with a blank line in front, which is for the caller to skip.
std::size_t find_head_end(std::string_view bytes, std::size_t from) noexcept;

// Refuses what may stand in no head, whatever its first line means: NUL, bare CR or LF, a control
// character, obs-fold, a field name that is no token (white space before a colon), an empty first
// line (all bad_request); more than kMaxFields fields or kMaxHeadBytes (head_too_large). `head`
// includes the blank line and ends with it. Whoever reads an upstream maps the error's kind and
// source.
Result<void> check_raw_head(std::string_view head);

enum class BodyKind { none, length, chunked, until_close };

struct BodyFraming {
  BodyKind kind = BodyKind::none;
  std::uint64_t length = 0;  // of BodyKind::length

  friend bool operator==(const BodyFraming&, const BodyFraming&) = default;
};

struct RequestFraming {
  BodyFraming body;
  bool keep_alive = true;         // the client wants the connection kept (RFC 9112, 9.3)
  bool expects_continue = false;  // Expect: 100-continue, and HTTP/1.1
  bool wants_upgrade = false;     // Upgrade named by Connection
};

// Refuses (400 or 501, the connection is then closed): Host missing in 1.1, repeated or not an
// authority; Content-Length repeated, signed, listed or over 2^63-1; Transfer-Encoding that is not
// exactly one "chunked" (501 where it is a valid list of other codings), with Content-Length, or in
// HTTP/1.0; an Expect other than 100-continue (417 is 400 here); more than 64 elements in
// Connection, or one that is no token; a method that is no token, or a standard one not in
// capitals; CONNECT; TRACE, whose echo would show the upstream's key; a target in authority form,
// or that is neither "*" with OPTIONS, nor origin-form, nor absolute http(s)-form; an absolute
// target whose authority differs from Host (misdirected, 421). The target's characters are
// parse_target's to judge.
Result<RequestFraming> check_request(const RequestHead& head);

struct ResponseFraming {
  BodyFraming body;
  bool keep_alive = true;  // the upstream keeps the connection
};

// The body of an answer to `request_method` (RFC 9112, 6.3). Refuses (upstream_malformed) what the
// request's rules refuse and a status outside 200-599: the caller handles 1xx and 101 before. A 204
// that announces a body has none, but its connection is not kept.
Result<ResponseFraming> check_response(const ResponseHead& head, std::string_view request_method);

}  // namespace aifd::protocol
