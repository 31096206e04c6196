#include "log_names.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace aifd::services {
namespace {

constexpr std::string_view kStampForm = "dddd-dd-dd_dd-dd-dd_dddddd";  // a d: a digit
constexpr std::string_view kEnding = ".log";

bool is_stamp(std::string_view text) noexcept {
  if (text.size() != kStampForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kStampForm[i] == 'd' ? !is_digit : text[i] != kStampForm[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view local_datetime(WallClock::time_point at) {
  thread_local std::time_t second = 0;
  thread_local std::string text;  // of that second
  const std::time_t wanted = WallClock::to_time_t(std::chrono::floor<std::chrono::seconds>(at));
  if (wanted != second || text.empty()) {
    second = wanted;
    std::tm parts{};
    ::localtime_r(&second, &parts);
    std::array<char, 64> made{};
    text.assign(made.data(), std::strftime(made.data(), made.size(), "%Y-%m-%d %H:%M:%S", &parts));
  }
  return text;
}

std::string rotated_name(std::string_view stem, WallClock::time_point at) {
  const auto fraction = at - std::chrono::floor<std::chrono::seconds>(at);
  const auto micros = std::chrono::floor<std::chrono::microseconds>(fraction).count();
  std::string digits = std::to_string(1'000'000 + micros);  // its first digit is not one of them
  digits.front() = '_';
  std::string stamp = std::string(local_datetime(at)) + digits;
  std::ranges::replace(stamp, ' ', '_');
  std::ranges::replace(stamp, ':', '-');
  return std::string(stem) + '.' + stamp + std::string(kEnding);
}

std::optional<RotatedKind> rotated_kind(std::string_view name, std::string_view stem) noexcept {
  if (!name.starts_with(stem)) return std::nullopt;
  name.remove_prefix(stem.size());
  if (!name.starts_with('.') || !is_stamp(name.substr(1, kStampForm.size()))) return std::nullopt;
  name.remove_prefix(1 + kStampForm.size());
  if (!name.starts_with(kEnding)) return std::nullopt;
  name.remove_prefix(kEnding.size());
  if (name.empty()) return RotatedKind::plain;
  if (name == kPackedEnding) return RotatedKind::packed;
  if (name == kUnfinishedEnding) return RotatedKind::unfinished;
  return std::nullopt;
}

}  // namespace aifd::services
