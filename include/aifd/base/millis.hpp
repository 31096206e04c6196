// Durations as logs and fields tell them.
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

namespace aifd {

// Milliseconds with microseconds behind the point: "20.007". What is negative is 0.
template <class Rep, class Period>
void append_millis(std::string& out, std::chrono::duration<Rep, Period> time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const std::int64_t whole = micros < 0 ? 0 : micros;
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), whole / 1000).ptr;
  out.append(digits.data(), end);
  const std::array<char, 4> rest{'.', static_cast<char>('0' + whole % 1000 / 100),
                                 static_cast<char>('0' + whole % 100 / 10),
                                 static_cast<char>('0' + whole % 10)};
  out.append(rest.data(), rest.size());
}

}  // namespace aifd
