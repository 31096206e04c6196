#include "aifd/services/route_table.hpp"

#include <algorithm>

#include "aifd/protocol/target.hpp"

namespace aifd::services {

RouteTable::RouteTable(const std::vector<config::Route>& routes) {
  for (const config::Route& route : routes) entries_.push_back({route, route.base_url.authority()});
  std::ranges::stable_sort(entries_, [](const Entry& a, const Entry& b) {
    return a.route.prefix.size() > b.route.prefix.size();
  });
}

const RouteTable::Entry* RouteTable::find(std::string_view path) const noexcept {
  for (const Entry& entry : entries_) {
    if (protocol::covers(entry.route.prefix, path)) return &entry;
  }
  return nullptr;
}

std::string_view RouteTable::path_after(std::string_view prefix, std::string_view path) noexcept {
  if (prefix != "/") path.remove_prefix(prefix.size());
  return path.empty() ? std::string_view("/") : path;
}

std::string RouteTable::prefixes() const {
  std::string text;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (!text.empty()) text += ", ";
    text += entry->route.prefix;
  }
  return text;
}

}  // namespace aifd::services
