#include "client_gone.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "scalars.hpp"
#include "text.hpp"

namespace aifd::config {
namespace {

constexpr std::string_view kDrain = "drain";
constexpr std::chrono::hours kMostTime{24};

// "30s", "500ms", "2m"; nullopt where it is no time, or longer than a day.
std::optional<std::chrono::milliseconds> time_of(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::chrono::milliseconds time;
  };
  static constexpr std::array kUnits{Unit{"ms", std::chrono::milliseconds(1)},
                                     Unit{"s", std::chrono::seconds(1)},
                                     Unit{"m", std::chrono::minutes(1)}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = to_integer<std::uint32_t>(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string name = to_lower(trim(text.substr(digits)));
  for (const Unit& unit : kUnits) {
    if (unit.name == name && *number * unit.time <= kMostTime) return *number * unit.time;
  }
  return std::nullopt;
}

// One or both of a time and a number of bytes.
Result<ClientGone> parse_bounds(std::string_view text) {
  ClientGone policy{.drains = true};
  bool has_time = false;
  bool has_bytes = false;
  for (const std::string& part : split(text, ',')) {
    const auto time = time_of(part);
    if (time) {
      if (has_time || time->count() == 0) return wrong("has " + in_quotes(part) + " as a time");
      policy.most_time = *time;
      has_time = true;
      continue;
    }
    const Result<std::uint64_t> bytes = parse_bytes(part);
    if (!bytes || has_bytes) {
      return wrong(
          "has " + in_quotes(part) +
          ", which is neither a time of at most a day such as 30s nor a size such as 64KiB");
    }
    policy.most_bytes = *bytes;
    has_bytes = true;
  }
  if (!has_time && !has_bytes) return wrong("has nothing after \"drain:\"");
  return policy;
}

Result<ClientGone> parse_policy(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word == "cancel") return ClientGone{};
  if (word == kDrain) return ClientGone{.drains = true};
  if (word.starts_with("drain:")) return parse_bounds(word.substr(kDrain.size() + 1));
  return wrong(in_quotes(text) + " is neither cancel nor drain");
}

void read_one(const std::string& route, const Json& value,
              std::map<std::string, ClientGone>& policies, Problems& problems) {
  const Result<std::string> path = parse_path(trim(route));
  if (!path) return problems.push_back("has a route that is wrong: " + path.error().detail);
  if (!value.is_string()) {
    return problems.push_back(in_quotes(*path) + " has " + json_type(value) +
                              " where a word belongs");
  }
  const Result<ClientGone> policy = parse_policy(value.get_ref<const std::string&>());
  if (!policy) return problems.push_back(in_quotes(*path) + " " + policy.error().detail);
  if (!policies.emplace(*path, *policy).second) {
    problems.push_back("has the route " + in_quotes(*path) + " twice");
  }
}

std::string show_policy(const ClientGone& policy) {
  if (!policy.drains) return "cancel";
  const auto time = policy.most_time.count();
  const std::string shown =
      time % 1000 == 0 ? std::to_string(time / 1000) + "s" : std::to_string(time) + "ms";
  return std::string(kDrain) + ":" + shown + "," + show_bytes(policy.most_bytes);
}

}  // namespace

void read_client_gone(std::string_view text, std::map<std::string, ClientGone>& target,
                      Problems& problems) {
  std::map<std::string, ClientGone> policies;
  if (looks_like_json(text)) {
    const Result<Json> json = parse_json(text);
    if (!json) return problems.push_back(json.error().detail);
    if (json->is_string()) {
      read_one("/", *json, policies, problems);
    } else if (!json->is_object()) {
      return problems.push_back("is " + json_type(*json) + ", not an object");
    } else {
      for (const auto& [route, value] : json->items()) read_one(route, value, policies, problems);
    }
  } else {
    const Result<ClientGone> policy = parse_policy(text);
    if (!policy) return problems.push_back(policy.error().detail);
    policies.emplace("/", *policy);
  }
  if (problems.empty()) target = std::move(policies);
}

std::string show_client_gone(const std::map<std::string, ClientGone>& policies) {
  if (policies.empty()) return "cancel";
  if (policies.size() == 1 && policies.begin()->first == "/") {
    return show_policy(policies.begin()->second);
  }
  Json shown = Json::object();
  for (const auto& [route, policy] : policies) shown[route] = show_policy(policy);
  return show_json(shown);
}

}  // namespace aifd::config
