#include "variables.hpp"

#include <array>

namespace aifd::config {

std::span<const Section> sections() {
  static const std::array all{
      Section{"Where requests go", route_variables()},
      Section{"Keys and levels", key_variables()},
      Section{"Limits", limit_variables()},
      Section{"Cache", cache_variables()},
      Section{"Logs", log_variables()},
      Section{"Who may call", access_variables()},
      Section{"Upstream connections and sizes", network_variables()},
      Section{"The server itself", server_variables()},
  };
  return all;
}

const Variable* find_variable(std::string_view name) {
  for (const Section& section : sections()) {
    for (const Variable& variable : section.variables) {
      if (variable.name == name) return &variable;
    }
  }
  return nullptr;
}

}  // namespace aifd::config
