// Which requests the cache has a part in.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "aifd/chain/exchange.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::middleware {

struct CachePlace {
  bool openai = true;       // false: a general route, whose bodies are bytes
  bool keeps = false;       // false: only the field `caching` is taken out of the body
  bool converts = false;    // one answer serves callers with and without `stream`
  bool embeddings = false;  // a list of inputs, which are kept one by one
};

// Immutable: shared by all workers.
class CacheRules {
 public:
  explicit CacheRules(const config::Settings& settings);

  // nullopt: none.
  std::optional<CachePlace> find(const chain::Exchange& exchange) const;

 private:
  std::optional<CachePlace> find_openai(const chain::Exchange& exchange) const;
  bool keeps_openai(const chain::Exchange& exchange) const;
  bool keeps_general(const chain::Exchange& exchange) const;

  const bool openai_;
  const bool general_;
  std::set<std::string, std::less<>> routes_;  // CACHE_ROUTES
  bool names_openai_ = false;                  // one of them lies under an openai route
  const std::string chat_;
  const std::string completion_;
  const std::string embedding_;
  const std::string custom_general_;  // after the prefix; empty: none
};

}  // namespace aifd::middleware
