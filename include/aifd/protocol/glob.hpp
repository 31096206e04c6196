// Names with "*" in them, as operators write them.
#pragma once

#include <string_view>

namespace aifd::protocol {

// Whether the whole of `text` is of the form `pattern`: "*" stands for any run of characters, also
// an empty one or one with "/" in it; all else stands for itself, in its case. Never goes back over
// the text, whatever it holds.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;

}  // namespace aifd::protocol
