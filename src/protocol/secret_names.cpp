#include "aifd/protocol/secret_names.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "aifd/protocol/fields.hpp"
#include "chars.hpp"
#include "percent.hpp"

namespace aifd::protocol {
namespace {

constexpr std::array<std::string_view, 10> kFieldWords{
    "auth",      "token",  "secret",  "session",  "credential",
    "signature", "apikey", "api-key", "password", "subscription-key"};
constexpr std::array<std::string_view, 3> kParameters{"key", "code", "sig"};
constexpr std::array<std::string_view, 9> kParameterEnds{
    "token", "secret", "signature", "apikey", "password", "credential", "auth", "_key", "-key"};

bool ends_in(std::string_view name, std::string_view end) noexcept {
  return name.size() >= end.size() && iequals(name.substr(name.size() - end.size()), end);
}

bool is_secret_decoded(std::string_view name) noexcept {
  const auto is = [name](std::string_view known) { return iequals(name, known); };
  const auto ends = [name](std::string_view end) { return ends_in(name, end); };
  return std::ranges::any_of(kParameters, is) || std::ranges::any_of(kParameterEnds, ends);
}

}  // namespace

// Asked of every field of every request: the first letters decide almost always.
bool is_secret_field(std::string_view name) noexcept {
  for (; !name.empty(); name.remove_prefix(1)) {
    const char first = to_lower(name.front());
    for (const std::string_view word : kFieldWords) {
      if (word.front() == first && iequals(name.substr(0, word.size()), word)) return true;
    }
  }
  return false;
}

bool is_secret_parameter(std::string_view name) {
  if (name.find('%') == std::string_view::npos) return is_secret_decoded(name);
  return is_secret_decoded(percent_decode(name));
}

}  // namespace aifd::protocol
