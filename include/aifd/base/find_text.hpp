// A search for a short text in a long one.
#pragma once

#include <cstddef>
#include <string_view>

namespace aifd {

// Where `wanted`, which is not empty, first stands in the text from `from` on, or npos. As
// string_view::find(), but as fast where the first letter of what is wanted is a usual one.
std::size_t find_text(std::string_view text, std::string_view wanted, std::size_t from = 0);

}  // namespace aifd
