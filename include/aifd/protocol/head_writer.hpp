// Heads as bytes. Only strictly valid heads come out, because only checked ones go in.
#pragma once

#include <string>
#include <string_view>

#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/framing.hpp"

namespace aifd::protocol {

// Whether a field is of one hop only and never sent on, in either direction: Connection,
// Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade, Content-Length (written anew from
// the framing), and, with `connection_fields`, what the message's own Connection fields name (RFC
// 9110, 7.6.1).
class HopByHop {
 public:
  explicit HopByHop(const Fields& fields);  // notes what Connection names
  bool contains(const FieldName& name) const noexcept;

 private:
  const Fields& fields_;
  bool has_connection_names_ = false;
};

// Where the request goes, and how it is framed on the way.
struct RequestLine {
  std::string_view method;
  std::string_view target;     // origin-form, or absolute-form for a plain proxy
  std::string_view authority;  // the Host field
};

// Appends the request head for the upstream: request line, Host first, then the end-to-end fields
// in their order and bytes, without Cookie, Host, Expect, X-Forwarded-*, Forwarded and X-Real-IP
// (the caller adds them back as fields where they are wanted: see `extra`), then Content-Length or
// Transfer-Encoding, then for an upgrade "Connection: Upgrade" and `upgrade`, and the blank line.
// No Connection: keep-alive is written: HTTP/1.1 keeps alive by itself.
void append_request_head(std::string& out, const RequestLine& line, const Fields& fields,
                         const BodyFraming& body, std::string_view upgrade, const Fields& extra);

struct ResponseOptions {
  unsigned client_version_minor = 1;
  bool close = false;          // "Connection: close"
  bool keep_alive = false;     // "Connection: keep-alive", for HTTP/1.0 clients that asked
  std::string_view upgrade{};  // of a 101: "Connection: Upgrade" with this Upgrade
};

// Appends the answer's head for the client: always "HTTP/1.1", status and reason as they came, the
// end-to-end fields in their order and bytes, then the framing: Content-Length for length,
// "Transfer-Encoding: chunked" for chunked, "Connection: close" for until_close, and
// for none only the Content-Length that came (HEAD and 304 carry one that describes no body; not in
// a 204). For a client of HTTP/1.0 a chunked body is written as until_close: send it unchunked.
void append_response_head(std::string& out, const ResponseHead& head, const BodyFraming& body,
                          const ResponseOptions& options);

}  // namespace aifd::protocol
