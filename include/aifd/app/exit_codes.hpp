// What the process ends with (sysexits.h).
#pragma once

namespace aifd::app {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,         // `aifd health`: it is not healthy
  kUsage = 64,         // wrong command line
  kCannotListen = 69,  // EX_UNAVAILABLE
  kInternal = 70,      // a fault of aifd's own
  kBadConfig = 78,
};

}  // namespace aifd::app
