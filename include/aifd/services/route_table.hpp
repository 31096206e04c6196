// Which upstream serves a path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aifd/chain/destination.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::services {

// Immutable after construction; shared by all workers without a lock.
class RouteTable {
 public:
  struct Entry {
    config::Route route;
    std::string authority;
    bool local = false;  // served here: there is no server

    chain::UpstreamServer server() const noexcept {
      return {route.base_url.host, route.base_url.port, route.base_url.tls, authority};
    }
  };

  // `local_prefix`: a path that is served here, whatever the routes say; "": none.
  explicit RouteTable(const std::vector<config::Route>& routes, std::string_view local_prefix = {});

  // The entry with the longest prefix that covers the path on whole segments; null: none does.
  const Entry* find(std::string_view path) const noexcept;

  // The path after that entry's prefix; begins with "/".
  static std::string_view path_after(std::string_view prefix, std::string_view path) noexcept;

  // Of all entries, the longest last.
  std::vector<std::string> prefix_list() const;

  // "/, /gemini": for people who asked for something else.
  std::string prefixes() const;

 private:
  std::vector<Entry> entries_;  // longest prefix first
};

}  // namespace aifd::services
