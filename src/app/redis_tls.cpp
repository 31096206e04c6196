#include "aifd/app/redis_tls.hpp"

#include "aifd/net/tls_byte_stream.hpp"

namespace aifd::app {

chain::WrapByteStream redis_tls(const config::RedisUrl& url) {
  if (!url.tls) return nullptr;
  return [context = net::make_client_tls().value()](std::unique_ptr<chain::ByteStream> plain) {
    return std::make_unique<net::TlsByteStream>(std::move(plain), context);
  };
}

}  // namespace aifd::app
