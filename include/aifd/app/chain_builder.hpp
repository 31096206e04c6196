// The order of the links.
#pragma once

#include "aifd/app/services.hpp"
#include "aifd/chain/middleware.hpp"
#include "aifd/config/settings.hpp"

namespace aifd::app {

// The services outlive the chain.
chain::Chain build_chain(const config::Settings& settings, Services& services);

}  // namespace aifd::app
