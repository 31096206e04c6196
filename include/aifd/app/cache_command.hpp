// `aifd cache`: the answer cache, from the command line.
#pragma once

#include <string>

#include "aifd/app/exit_codes.hpp"
#include "aifd/config/load.hpp"

namespace aifd::app {

struct CacheCommand {
  enum class What { stat, clear, get };
  What what = What::stat;
  bool json = false;       // stat: not a table
  std::string key;         // get: 64 hex digits
  bool body_only = false;  // get: without the head
};

// Asks the daemon that these settings make; where none runs, it opens a store on disk or
// in Redis itself.
ExitCode cache(const config::Sources& sources, const CacheCommand& command);

}  // namespace aifd::app
