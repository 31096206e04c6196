#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load/options.hpp"

namespace bench {

// What a run has seen.
struct Report {
  std::vector<float> latency_us;      // until the last byte; in open loop from when it was due
  std::vector<float> first_byte_us;   // until the first byte of the body
  std::vector<float> event_delay_us;  // of paced events, from the mock's clock to ours
  std::uint64_t requests = 0;
  std::uint64_t events = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t errors = 0;
  std::string first_error;
  double seconds = 0;

  void error(const std::string& message) {
    if (errors++ == 0) first_error = message;
  }
  void print();  // one line of JSON on standard output
};

}  // namespace bench
