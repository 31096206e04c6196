// TLS to Redis servers.
#pragma once

#include "aifd/chain/byte_stream.hpp"
#include "aifd/config/redis_url.hpp"

namespace aifd::app {

// Null where the URL is plain. Throws where the trust of the system cannot be loaded.
chain::WrapByteStream redis_tls(const config::RedisUrl& url);

}  // namespace aifd::app
