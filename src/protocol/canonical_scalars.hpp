// Strings and numbers of JSON in the form of canonical_json.hpp.
#pragma once

#include <string>
#include <string_view>

namespace aifd::protocol {

// `literal`: a valid JSON string with both quotes; so is what is appended.
void append_canonical_string(std::string& out, std::string_view literal);

// `literal`: a valid JSON number. False, with nothing useful appended, where its exponent has over
// 9 digits.
bool append_canonical_number(std::string& out, std::string_view literal);

}  // namespace aifd::protocol
