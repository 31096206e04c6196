// One GET of /healthz, for `aifd health`.
#pragma once

#include <chrono>
#include <string>

#include "aifd/base/error.hpp"

namespace aifd::net {

// The status that url + "/healthz" answers with ("http://127.0.0.1:8000"; a path of its own is
// asked for as it is). Blocks for at most `timeout`. Certificates are not verified: a daemon is
// asked about its own life, usually by its address on loopback, which no certificate names. With
// `proxy_protocol` the connection begins with a PROXY header that names nobody. Errors: bad_request
// for a url that is none, else what kept the answer from coming.
Result<int> probe_health(const std::string& url, bool proxy_protocol,
                         std::chrono::milliseconds timeout);

}  // namespace aifd::net
