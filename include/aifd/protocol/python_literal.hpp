// Python's notation of values, as repr() writes it, turned into JSON: openai-forward's logs have
// it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace aifd::protocol {

struct LiteralError {
  std::size_t offset;     // where reading stopped
  std::string_view what;  // what is wrong there, for a person
};

// The one value that `text` is, as JSON without white space between its tokens. Taken is what
// repr() writes of dicts (with strings as keys), lists, tuples (which become lists), strings, ints,
// floats, True, False and None; numbers keep their digits, inf and nan become null. Nothing is
// evaluated.
//
// Refused is everything else, also where Python would take it: bytes, sets, complex numbers, other
// spellings of numbers (0x10, 1_000, .5), prefixes of strings, literals joined by standing side by
// side, \N{...} and escapes that Python does not know, commas before a closing bracket (but in a
// tuple of one), comments, and nesting deeper than kMostLiteralDepth.
//
// Lone surrogates ('\ud800') and bytes that are not UTF-8 become U+FFFD. A key that a dict has
// twice stays twice.
//
// Takes time linear in the text, memory for the JSON, and does not recurse.
std::variant<std::string, LiteralError> json_of_python_literal(std::string_view text);

inline constexpr std::size_t kMostLiteralDepth = 512;

}  // namespace aifd::protocol
