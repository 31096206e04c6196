#include "aifd/protocol/cache_control.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace aifd::protocol {
namespace {

constexpr std::uint32_t kMostSeconds = std::uint32_t{1} << 31;

std::uint32_t seconds_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (end != text.data() + text.size() || text.empty()) return 0;
  if (error == std::errc::result_out_of_range) return kMostSeconds;
  return error == std::errc()
             ? static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds, kMostSeconds))
             : 0;
}

void lower_to(std::optional<std::uint32_t>& age, std::uint32_t seconds) {
  age = std::min(age.value_or(kMostSeconds), seconds);
}

void read_directive(std::string_view directive, CacheControl& control) {
  const std::size_t equals = directive.find('=');
  const std::string_view name = directive.substr(0, equals);
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : directive.substr(equals + 1);
  if (iequals(name, "no-store")) control.no_store = true;
  if (iequals(name, "no-cache")) control.no_cache = true;
  if (iequals(name, "private")) control.is_private = true;
  if (iequals(name, "only-if-cached")) control.only_if_cached = true;
  if (iequals(name, "max-age")) lower_to(control.max_age, seconds_of(value));
  if (iequals(name, "s-maxage")) lower_to(control.s_maxage, seconds_of(value));
}

}  // namespace

CacheControl read_cache_control(const Fields& fields) {
  CacheControl control;
  for (const Field& field : fields) {
    if (field.name != "Cache-Control") continue;
    for_each_token(field.value,
                   [&control](std::string_view token) { read_directive(token, control); });
  }
  return control;
}

CacheControl read_request_cache_control(const Fields& fields) {
  CacheControl control = read_cache_control(fields);
  if (!fields.contains("Cache-Control") && has_token(fields, "Pragma", "no-cache")) {
    control.no_cache = true;
  }
  return control;
}

}  // namespace aifd::protocol
