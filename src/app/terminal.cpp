#include "aifd/app/terminal.hpp"

#include <unistd.h>

#include <cstdlib>

namespace aifd::app {

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace aifd::app
