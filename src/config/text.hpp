// Small helpers on text that every reader of the configuration uses.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "aifd/base/error.hpp"

namespace aifd::config {

// An error about a value; detail says what is wrong, in words that follow the variable's name.
Error wrong(std::string detail);

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);  // ASCII only
std::string to_upper(std::string_view text);  // ASCII only

// The value as an error text may show it: quoted, control characters replaced, cut when long.
// Never call it with a secret.
std::string in_quotes(std::string_view text);

bool is_control(char c);  // ASCII only

// Parts between separators, trimmed, without the empty ones.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// A whole number in decimal digits alone; nothing on anything else or when out of T's range.
template <std::integral T>
std::optional<T> to_integer(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Printable ASCII without spaces, at least one character: what may stand in a header field.
bool is_token_text(std::string_view text);

}  // namespace aifd::config
