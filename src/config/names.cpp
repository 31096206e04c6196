#include "names.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "text.hpp"
#include "variables.hpp"

namespace aifd::config {
namespace {

constexpr std::array kAliases{
    Alias{"OPENAI_API_KEY", "OPENAI_API_KEY_CONFIG", true},
    Alias{"FORWARD_KEY", "FORWARD_KEY_CONFIG", true},
    Alias{"LOG_CHAT", "LOG_OPENAI", true},
    Alias{"SSL_KEYFILE", "ssl_keyfile", false},
    Alias{"SSL_CERTFILE", "ssl_certfile", false},
    Alias{"https_proxy", "HTTPS_PROXY", false},
    Alias{"http_proxy", "HTTP_PROXY", false},
    Alias{"no_proxy", "NO_PROXY", false},
};

constexpr std::array kRetired{
    Retired{"OPENAI_BASE_URL", "FORWARD_CONFIG"},
    Retired{"OPENAI_ROUTE_PREFIX", "FORWARD_CONFIG"},
    Retired{"EXTRA_BASE_URL", "FORWARD_CONFIG"},
    Retired{"EXTRA_ROUTE_PREFIX", "FORWARD_CONFIG"},
};

// How many letters must be put in, taken out, changed or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) current[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, current);
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
  }
  return current[b.size()];
}

std::size_t allowed_distance(std::string_view name) {
  if (name.size() < 4) return 0;
  return name.size() < 8 ? 1 : 2;
}

bool too_different_in_length(std::string_view a, std::string_view b, std::size_t allowed) {
  return std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > allowed;
}

}  // namespace

std::span<const Alias> aliases() {
  return kAliases;
}
std::span<const Retired> retired_names() {
  return kRetired;
}

bool is_accepted_name(std::string_view name) {
  if (find_variable(name) != nullptr) return true;
  if (std::any_of(kAliases.begin(), kAliases.end(),
                  [&](const Alias& alias) { return alias.alias == name; })) {
    return true;
  }
  if (!name.ends_with(kFileSuffix)) return false;
  const Variable* variable = find_variable(name.substr(0, name.size() - kFileSuffix.size()));
  return variable != nullptr && variable->may_be_in_file;
}

std::string nearest_name(std::string_view name) {
  const std::string wanted = to_upper(name);
  std::string nearest;
  std::size_t shortest = 3;
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      const std::size_t allowed = allowed_distance(variable.name);
      if (too_different_in_length(wanted, variable.name, allowed)) continue;
      const std::size_t distance = edit_distance(wanted, to_upper(variable.name));
      if (distance <= allowed && distance < shortest) {
        shortest = distance;
        nearest = variable.name;
      }
    }
  }
  return nearest;
}

}  // namespace aifd::config
