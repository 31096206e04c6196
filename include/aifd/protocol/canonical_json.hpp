// One text for all the ways to write the same JSON object, by which the cache knows a request
// again.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aifd::protocol {

// Top-level fields that do not change what an answer says.
inline constexpr std::array<std::string_view, 4> kFieldsOutsideCacheKey{"stream", "stream_options",
                                                                        "user", "caching"};

// The body's canonical form, itself JSON: no white space; the members of every object sorted by
// name; strings with no escapes but \" \\ and \u00XX for control characters; numbers as their
// decimal digits without zeros at either end and a power of ten ("1.50e3" and "1500" are "15e2"),
// which is exact at any length. "-0" stays apart from "0": as floating-point they differ. The
// top-level members named in `left_out` (in plain characters, not to be escaped) are not in it.
//
// Bodies are equal up to the spelling of strings and numbers, white space, and the order of members
// exactly where their forms are.
//
// nullopt, so that the request cannot be cached, where the body is no JSON object, not valid to its
// last byte, not UTF-8, has a lone surrogate, a name twice in one object (which of them counts
// depends on who reads it), nesting deeper than 1,024, an exponent of over 9 digits, more than
// 1,048,576 objects or as many members, or 1 GiB or more.
//
// Takes time linear in the body but for the sorting of names; memory for two such texts and at most
// 64 MiB besides; no recursion.
std::optional<std::string> canonical_json(std::string_view body,
                                          std::span<const std::string_view> left_out);

}  // namespace aifd::protocol
