// The values of fields such as Content-Type: "type/subtype; name=value".
#pragma once

#include <algorithm>
#include <string_view>

#include "chars.hpp"

namespace aifd::protocol {

inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// The parameters of a field's value, one by one: ;name=token or ;name="quoted".
class Parameters {
 public:
  explicit Parameters(std::string_view text)
      : rest_(trimmed(text.substr(0, text.find_last_not_of("; \t") + 1))) {}

  bool at_end() const noexcept { return rest_.empty(); }

  // False where what follows is no parameter, or one whose end servers see in different places.
  bool next() {
    if (!rest_.starts_with(';')) return false;
    rest_ = trimmed(rest_.substr(1));
    const std::size_t equals = rest_.find('=');
    if (equals == std::string_view::npos) return false;
    name = rest_.substr(0, equals);
    if (name.empty() || !kTokenChars.has_all(name)) return false;
    rest_.remove_prefix(equals + 1);
    return rest_.starts_with('"') ? take_quoted() : take_token();
  }

  std::string_view name;
  std::string_view value;  // without the quotes; nothing is unescaped

 private:
  bool take_quoted() {
    const std::size_t end = rest_.find('"', 1);
    if (end == std::string_view::npos || rest_[end - 1] == '\\') return false;
    value = rest_.substr(1, end - 1);
    rest_ = trimmed(rest_.substr(end + 1));
    return true;
  }

  bool take_token() {
    const std::size_t end = std::min(rest_.find_first_of("; \t"), rest_.size());
    value = rest_.substr(0, end);
    rest_ = trimmed(rest_.substr(end));
    return !value.empty() && kTokenChars.has_all(value);
  }

  std::string_view rest_;
};

// What stands before the parameters.
inline std::string_view main_value(std::string_view value) {
  return trimmed(value.substr(0, value.find(';')));
}

inline std::string_view parameters_of(std::string_view value) {
  return value.substr(std::min(value.find(';'), value.size()));
}

}  // namespace aifd::protocol
