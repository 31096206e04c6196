#include "aifd/services/cache_key.hpp"

#include "sha256.hpp"

namespace aifd::services {

CacheKey make_cache_key(const protocol::CacheKeyParts& parts) {
  return sha256({protocol::cache_key_head(parts), parts.body});
}

}  // namespace aifd::services
