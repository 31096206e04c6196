// How deep JSON is nested, before a reader that does not bound it.
#pragma once

#include <cstddef>
#include <string_view>

namespace aifd::protocol {

// Whether lists and objects are nested deeper than `most` in this text, which need not be JSON:
// simdjson skips nested values without counting.
bool is_deeper_than(std::size_t most, std::string_view body);

}  // namespace aifd::protocol
