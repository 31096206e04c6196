// Reads openai-forward-config.yaml into variables.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::config {

struct YamlValue {
  std::string text;  // a scalar as it stands, anything else as JSON
  int line = 0;      // of the value, from 1
  int column = 0;
};

struct YamlFile {
  std::map<std::string, YamlValue> values;  // variable name -> value
  std::vector<std::string> errors;          // "3:1: what is wrong", never with a value in it
};

// Accepts the layout of the original (log: {openai: true}, api_key: {forward_key: ...}) and our
// variable names at the top level, in upper or lower case. An unknown or repeated name, a second
// document, aliases that grow over 10000 nodes and nesting over 16 levels are errors.
YamlFile parse_yaml(const std::string& text);

}  // namespace aifd::config
