#include "aifd/protocol/fields.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "chars.hpp"

namespace aifd::protocol {

namespace {

bool iequals_bytes(const char* a, const char* b, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

constexpr std::size_t kWord = sizeof(std::uint64_t);

bool iequals_word(const char* a, const char* b) noexcept {
  return std::memcmp(a, b, kWord) == 0 || iequals_bytes(a, b, kWord);
}

}  // namespace

// Most that are equal are so in their case too. The last word of a long text may overlap another.
bool iequals_of_one_size(std::string_view a, std::string_view b) noexcept {
  if (a.size() < kWord) return iequals_bytes(a.data(), b.data(), a.size());
  const std::size_t last = a.size() - kWord;
  for (std::size_t at = 0; at < last; at += kWord) {
    if (!iequals_word(a.data() + at, b.data() + at)) return false;
  }
  return iequals_word(a.data() + last, b.data() + last);
}

// find_last_of() would search its set for every character.
std::string_view last_word(std::string_view value) noexcept {
  std::size_t start = value.size();
  while (start > 0 && value[start - 1] != ' ' && value[start - 1] != '\t') --start;
  return value.substr(start);
}

const Field* Fields::find(std::string_view name) const noexcept {
  for (const Field& field : fields_) {
    if (iequals(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view Fields::get(std::string_view name) const noexcept {
  const Field* field = find(name);
  return field != nullptr ? field->value : std::string_view{};
}

std::size_t Fields::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Field& f) { return iequals(f.name, name); }));
}

void Fields::set(std::string_view name, std::string_view value) {
  const auto has_name = [&](const Field& f) { return iequals(f.name, name); };
  const auto first = std::find_if(fields_.begin(), fields_.end(), has_name);
  if (first == fields_.end()) {
    add(name, value);
    return;
  }
  first->value = value;
  fields_.erase(std::remove_if(first + 1, fields_.end(), has_name), fields_.end());
}

void Fields::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return iequals(f.name, name); });
}

bool has_token(const Fields& fields, std::string_view name, std::string_view token) noexcept {
  bool found = false;
  for (const Field& field : fields) {
    if (!iequals(field.name, name)) continue;
    for_each_token(field.value, [&](std::string_view t) { found = found || iequals(t, token); });
    if (found) return true;
  }
  return false;
}

}  // namespace aifd::protocol
