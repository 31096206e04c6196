#include "joined_fields.hpp"

#include <algorithm>

namespace aifd::protocol {
namespace {

constexpr std::size_t kMostFields = 64;

bool says_nothing(std::string_view value) {
  return value == "null" || value == "\"\"" || value == "0";
}

void join_lists(std::string& list, std::string_view more) {
  if (more == "[]") return;
  if (list == "[]") {
    list = more;
    return;
  }
  list.back() = ',';
  list += more.substr(1);
}

void join_strings(std::string& text, std::string_view more) {
  text.pop_back();
  text += more.substr(1);
}

bool combine(std::string& value, std::string_view later, JoinRule rule) {
  const JsonKind kind = kind_of(value);
  const bool is_alike = kind == kind_of(later);
  const bool joins_lists = rule == JoinRule::lists || rule == JoinRule::pieces;
  if (rule == JoinRule::first || rule == JoinRule::once) {
    const bool is_same = says_nothing(later) || value == later;
    if (says_nothing(value)) {
      value = later;
      return true;
    }
    return is_same || rule == JoinRule::first;
  }
  if (is_alike && kind == JsonKind::array && joins_lists) {
    join_lists(value, later);
  } else if (is_alike && kind == JsonKind::string && rule == JoinRule::pieces) {
    join_strings(value, later);
  } else {
    value = later;
  }
  return true;
}

}  // namespace

bool JoinedFields::add(std::string_view key, std::string_view value, JoinRule rule) {
  const auto field = std::ranges::find(fields_, key, &Field::key);
  if (field != fields_.end()) return value == "null" || combine(field->value, value, rule);
  if (fields_.size() == kMostFields) return false;
  fields_.push_back({std::string(key), std::string(value)});
  return true;
}

void JoinedFields::remove(std::string_view key) {
  std::erase_if(fields_, [&](const Field& field) { return field.key == key; });
}

std::string_view JoinedFields::get(std::string_view key) const noexcept {
  const auto field = std::ranges::find(fields_, key, &Field::key);
  return field == fields_.end() ? std::string_view{} : std::string_view{field->value};
}

void JoinedFields::append_to(std::string& out) const {
  for (const Field& field : fields_) append_member(out, field.key, field.value);
}

}  // namespace aifd::protocol
