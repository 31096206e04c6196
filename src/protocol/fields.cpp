#include "aifd/protocol/fields.hpp"

#include <algorithm>
#include <bit>

#include "aifd/base/words.hpp"

namespace aifd::protocol {

// Sixteen characters at once, from the end: find_last_of() would search its set for each.
std::string_view last_word(std::string_view value) noexcept {
  std::size_t start = value.size();
  for (; start >= sizeof(Bytes); start -= sizeof(Bytes)) {
    const Bytes bytes = load_bytes(value.data() + start - sizeof(Bytes));
    const unsigned blanks = bits_of(mark_equal(bytes, ' ') | mark_equal(bytes, '\t'));
    if (blanks != 0) return value.substr(start - sizeof(Bytes) + std::bit_width(blanks));
  }
  while (start > 0 && value[start - 1] != ' ' && value[start - 1] != '\t') --start;
  return value.substr(start);
}

const Field* Fields::find_among(const FieldName& name) const noexcept {
  for (const Field& field : fields_) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::size_t Fields::count(const FieldName& name) const noexcept {
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(),
                                                [&](const Field& f) { return f.name == name; }));
}

void Fields::set(const FieldName& name, std::string_view value) {
  if (!may_have(name)) return add(name, value);
  const auto has_name = [&](const Field& f) { return f.name == name; };
  const auto first = std::find_if(fields_.begin(), fields_.end(), has_name);
  if (first == fields_.end()) return add(name, value);
  first->value = value;
  first->line = {};
  fields_.erase(std::remove_if(first + 1, fields_.end(), has_name), fields_.end());
}

void Fields::remove(const FieldName& name) {
  if (may_have(name)) std::erase_if(fields_, [&](const Field& f) { return f.name == name; });
}

bool has_token(const Fields& fields, const FieldName& name, std::string_view token) noexcept {
  bool found = false;
  if (!fields.contains(name)) return false;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    for_each_token(field.value, [&](std::string_view t) { found = found || iequals(t, token); });
    if (found) return true;
  }
  return false;
}

}  // namespace aifd::protocol
