// Whether the process is on its way out.
#pragma once

#include <atomic>

namespace aifd {

// Shared by all threads; set once.
struct Lifecycle {
  std::atomic<bool> draining{false};
};

}  // namespace aifd
