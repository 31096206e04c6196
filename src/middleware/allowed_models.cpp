#include "aifd/middleware/allowed_models.hpp"

#include <algorithm>

#include "aifd/base/words.hpp"
#include "aifd/protocol/glob.hpp"

namespace aifd::middleware {
namespace {

constexpr std::size_t kMostNameBytes = 1024;

// "org/../secret" matches "org/*", but a server that takes names for paths reads "secret".
bool has_dot_segment(std::string_view model) noexcept {
  const auto ends = [](Bytes bytes) { return mark_equal(bytes, '/') | mark_equal(bytes, '\\'); };
  for (std::size_t at = 0; at <= model.size();) {
    const std::size_t end = find_marked(model, at, ends);
    const std::string_view segment = model.substr(at, end - at);
    if (segment == "." || segment == "..") return true;
    at = end + 1;
  }
  return false;
}

bool can_be_a_name(std::string_view model) noexcept {
  const auto odd = [](Bytes bytes) {
    return mark_below(bytes, 0x20) | mark_equal(bytes, '\x7F') | mark_equal(bytes, ',');
  };
  return !model.empty() && model.size() <= kMostNameBytes && !has_dot_segment(model) &&
         find_marked(model, 0, odd) == model.size();
}

bool is_all(std::string_view name) noexcept {
  return !name.empty() && name.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace

AllowedModels::AllowedModels(std::vector<std::string> names)
    : names_(std::move(names)), has_all_(std::any_of(names_.begin(), names_.end(), is_all)) {}

bool AllowedModels::has(std::string_view model) const noexcept {
  constexpr std::string_view kGeminiPrefix = "models/";
  if (!can_be_a_name(model)) return false;
  std::string_view bare = model;
  if (bare.starts_with(kGeminiPrefix)) bare.remove_prefix(kGeminiPrefix.size());
  return std::any_of(names_.begin(), names_.end(), [&](std::string_view name) {
    return protocol::glob_match(name, model) ||
           (bare.size() != model.size() && protocol::glob_match(name, bare));
  });
}

std::string AllowedModels::text(int level) const {
  std::string text = "Your key (level " + std::to_string(level) + ") may use";
  std::string_view before = ": ";
  for (const std::string& name : names_) {
    text.append(before).append(name);
    before = ", ";
  }
  return text += names_.empty() ? " no model." : ".";
}

}  // namespace aifd::middleware
