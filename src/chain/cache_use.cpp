#include "aifd/chain/cache_use.hpp"

namespace aifd::chain {

std::string_view to_string(CacheUse use) noexcept {
  switch (use) {
    case CacheUse::none:
      break;
    case CacheUse::hit:
      return "hit";
    case CacheUse::miss:
      return "miss";
    case CacheUse::bypass:
      return "bypass";
  }
  return {};
}

}  // namespace aifd::chain
