// Strings in Python's notation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

struct PythonString {
  std::size_t length = 0;  // of the literal with its quotes; where it is wrong, up to there
  std::string_view wrong;  // empty: nothing
};

// Reads the string that `text` begins with, at its opening quote, and appends it to `out` as a JSON
// string.
PythonString read_python_string(std::string_view text, std::string& out);

}  // namespace aifd::protocol
