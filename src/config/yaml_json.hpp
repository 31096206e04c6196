// Turns YAML structures into JSON text, so that one parser a variable serves every source.
#pragma once

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <string>

#include "aifd/base/error.hpp"

namespace aifd::config {

// "3:1", line and column from 1.
std::string position(const YAML::Node& node);

class YamlConverter {
 public:
  // The budget of 10000 nodes is shared by all calls. Error texts begin with the position.
  Result<std::string> to_json(const YAML::Node& node);

 private:
  nlohmann::json convert(const YAML::Node& node, int depth);
  nlohmann::json convert_mapping(const YAML::Node& node, int depth);

  int nodes_left_ = 10'000;
};

}  // namespace aifd::config
