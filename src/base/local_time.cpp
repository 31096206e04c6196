#include "aifd/base/local_time.hpp"

#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace aifd {

std::string_view timestamp_now() {
  constexpr std::size_t kMillis = 20;  // where they stand
  thread_local std::time_t second = -1;
  thread_local std::string text;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  if (second != millis / 1000) {
    second = millis / 1000;
    std::tm local{};
    ::localtime_r(&second, &local);
    std::array<char, 40> made{};
    text.assign(made.data(), std::strftime(made.data(), made.size(), "%FT%T.000%z", &local));
    text.insert(text.size() - 2, ":");
  }
  text[kMillis] = static_cast<char>('0' + millis / 100 % 10);
  text[kMillis + 1] = static_cast<char>('0' + millis / 10 % 10);
  text[kMillis + 2] = static_cast<char>('0' + millis % 10);
  return text;
}

}  // namespace aifd
