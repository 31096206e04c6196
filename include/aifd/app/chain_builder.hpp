// The order of the links.
#pragma once

#include <chrono>

#include "aifd/app/services.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::app {

// The services outlive the chain. `benchmark_interval`: between two streamed tokens of the
// benchmark model.
chain::Chain build_chain(const config::Settings& settings, Services& services,
                         std::chrono::nanoseconds benchmark_interval = {});

}  // namespace aifd::app
