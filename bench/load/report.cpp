#include "load/report.hpp"

#include <algorithm>
#include <cstdio>

namespace bench {
namespace {

double percentile(const std::vector<float>& sorted, double share) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(last * share + 0.5)];
}

void print_times(const char* name, std::vector<float>& times) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf(",\"%s\":{\"p50\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f}", name,
              percentile(times, 0.5), percentile(times, 0.99), percentile(times, 0.999),
              times.back());
}

std::string as_json(std::string text) {
  for (char& byte : text) {
    if (byte == '"' || byte == '\\') byte = '\'';
    if (static_cast<unsigned char>(byte) < ' ') byte = '|';
  }
  return text;
}

}  // namespace

void Report::print() {
  std::printf("{\"requests\":%lu,\"events\":%lu,\"body_bytes\":%lu,\"seconds\":%.6f,\"errors\":%lu",
              requests, events, body_bytes, seconds, errors);
  if (errors != 0) std::printf(",\"first_error\":\"%s\"", as_json(first_error).c_str());
  print_times("latency_us", latency_us);
  print_times("first_byte_us", first_byte_us);
  print_times("event_delay_us", event_delay_us);
  std::printf("}\n");
}

}  // namespace bench
