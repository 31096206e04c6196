// JSON for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Appends a JSON value that has no white space between its tokens, with each member on a line of
// its own, indented by two for each level; its first line is not indented, the others as if it
// stood at `level`. Empty lists and objects stay on one line.
void append_indented(std::string& out, std::string_view json, std::size_t level);

}  // namespace aifd::protocol
