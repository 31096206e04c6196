// What standard output is.
#pragma once

namespace aifd::app {

// A terminal whose user did not ask for plain text (https://no-color.org).
bool wants_colour();

}  // namespace aifd::app
