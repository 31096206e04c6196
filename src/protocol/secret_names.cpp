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

// Two characters as one number, the same for letters in both cases.
constexpr std::size_t pair_of(char first, char second) noexcept {
  return static_cast<std::size_t>((first & 31) << 5 | (second & 31));
}

// Whether a word may begin with the two.
constexpr auto kBegins = [] {
  std::array<bool, 1024> begins{};
  for (const std::string_view word : kFieldWords) begins[pair_of(word[0], word[1])] = true;
  return begins;
}();

constexpr bool begins_with_word(std::string_view text) noexcept {
  return std::ranges::any_of(kFieldWords, [text](std::string_view word) {
    return iequals(text.substr(0, word.size()), word);
  });
}

constexpr bool has_secret_word(std::string_view name) noexcept {
  for (std::size_t at = 1; at < name.size(); ++at) {
    const bool may_begin = kBegins[pair_of(name[at - 1], name[at])];
    if (may_begin && begins_with_word(name.substr(at - 1))) return true;
  }
  return false;
}

constexpr NameSet kKnownSecrets = NameSet::of_all(has_secret_word);

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

bool is_secret_field(const FieldName& name) noexcept {
  if (name.id() != kUnknownName) return kKnownSecrets.has(name.id());
  return has_secret_word(name);
}

bool is_secret_parameter(std::string_view name) {
  if (name.find('%') == std::string_view::npos) return is_secret_decoded(name);
  return is_secret_decoded(percent_decode(name));
}

}  // namespace aifd::protocol
