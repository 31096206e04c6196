#include "aifd/services/route_table.hpp"

#include <algorithm>

#include "aifd/protocol/target.hpp"

namespace aifd::services {

RouteTable::RouteTable(const std::vector<config::Route>& routes, std::string_view local_prefix) {
  if (!local_prefix.empty()) {
    entries_.push_back({{{}, std::string(local_prefix), config::RouteType::openai}, {}, true});
  }
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

std::vector<std::string> RouteTable::prefix_list() const {
  std::vector<std::string> prefixes;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    prefixes.push_back(entry->route.prefix);
  }
  return prefixes;
}

std::string RouteTable::prefixes() const {
  std::string text;
  for (const std::string& prefix : prefix_list()) {
    if (!text.empty()) text += ", ";
    text += prefix;
  }
  return text;
}

}  // namespace aifd::services
