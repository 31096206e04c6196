#include "dotenv_interpolation.hpp"

namespace aifd::config {
namespace {

using Values = std::map<std::string, std::string>;

std::string look_up(std::string_view reference, const Values& values, const Values& environment) {
  const std::size_t colon = reference.find(':');
  const std::string name(reference.substr(0, colon));
  if (const auto found = environment.find(name); found != environment.end()) return found->second;
  if (const auto found = values.find(name); found != values.end()) return found->second;
  return colon == std::string_view::npos ? "" : std::string(reference.substr(colon + 2));
}

// NAME or NAME:-default; a colon with anything else behind it is no reference.
bool is_reference(std::string_view inside) {
  const std::size_t colon = inside.find(':');
  return colon == std::string_view::npos || inside.substr(colon, 2) == ":-";
}

}  // namespace

std::string interpolate(std::string_view value, const Values& values, const Values& environment) {
  std::string result;
  while (true) {
    const std::size_t start = value.find("${");
    const std::size_t end = value.find('}', start == std::string_view::npos ? start : start + 2);
    if (start == std::string_view::npos || end == std::string_view::npos) {
      return result += value;
    }
    result += value.substr(0, start);
    const std::string_view inside = value.substr(start + 2, end - start - 2);
    if (is_reference(inside)) {
      result += look_up(inside, values, environment);
      value.remove_prefix(end + 1);
    } else {
      result += "${";
      value.remove_prefix(start + 2);
    }
  }
}

}  // namespace aifd::config
