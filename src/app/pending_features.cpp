#include "aifd/app/pending_features.hpp"

namespace aifd::app {

std::vector<std::string> pending_features(const config::Settings& settings) {
  std::vector<std::string> names;
  const auto add = [&names](bool is_set, const char* name) {
    if (is_set) names.emplace_back(name);
  };
  add(settings.listen.web_ui, "--webui");
  return names;
}

}  // namespace aifd::app
