#include "yaml_json.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "text.hpp"

namespace aifd::config {
namespace {

constexpr int kDeepest = 16;

class Refused : public std::runtime_error {
 public:
  Refused(const YAML::Node& node, const std::string& what)
      : std::runtime_error(position(node) + ": " + what) {}
};

// A plain scalar, that is one without quotes, may be a number or true or false.
nlohmann::json convert_scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const bool plain = node.Tag() == "?";
  if (!plain) return text;
  const std::string lower = to_lower(text);
  if (lower == "true") return true;
  if (lower == "false") return false;
  const bool octal_or_signed = text.size() > 1 && text.starts_with('0');
  if (const auto number = to_integer<std::int64_t>(text); number && !octal_or_signed)
    return *number;
  return text;
}

}  // namespace

std::string position(const YAML::Node& node) {
  return std::to_string(node.Mark().line + 1) + ":" + std::to_string(node.Mark().column + 1);
}

Result<std::string> YamlConverter::to_json(const YAML::Node& node) {
  try {
    return convert(node, 0).dump();
  } catch (const Refused& error) {
    return wrong(error.what());
  } catch (const nlohmann::json::exception&) {
    return wrong(position(node) + ": is not UTF-8 text");
  }
}

nlohmann::json YamlConverter::convert(const YAML::Node& node, int depth) {
  if (--nodes_left_ < 0)
    throw Refused(node, "the file grows over 10000 values; are there aliases?");
  if (depth > kDeepest) throw Refused(node, "is nested more than 16 levels deep");
  if (node.IsMap()) return convert_mapping(node, depth);
  if (node.IsSequence()) {
    auto list = nlohmann::json::array();
    for (const YAML::Node& item : node) list.push_back(convert(item, depth + 1));
    return list;
  }
  if (node.IsNull()) return nullptr;
  return convert_scalar(node);
}

nlohmann::json YamlConverter::convert_mapping(const YAML::Node& node, int depth) {
  auto object = nlohmann::json::object();
  for (const auto& item : node) {
    const YAML::Node& key = item.first;
    if (!key.IsScalar()) throw Refused(key, "a name must be plain text");
    if (object.contains(key.Scalar())) throw Refused(key, "a name is given twice in one mapping");
    object[key.Scalar()] = convert(item.second, depth + 1);
  }
  return object;
}

}  // namespace aifd::config
