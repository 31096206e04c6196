// Memory that only the start-up needed.
#pragma once

namespace aifd::app {

// Takes the program's and its libraries' own pages, their code and constants, out of the process:
// most were used by the start-up alone. They stay in the system's page cache, from where the
// few that are used again come back. Any thread, at any time.
void release_startup_pages() noexcept;

}  // namespace aifd::app
