// Strings and numbers of JSON in the form of canonical_json.hpp.
#pragma once

#include <string>
#include <string_view>

#include "json_reader.hpp"

namespace aifd::protocol {

// `literal`: a valid JSON string with both quotes; so is what is appended. Half a surrogate pair
// becomes U+FFFD.
void append_canonical_string(std::string& out, std::string_view literal);

// `literal`: a valid JSON number. False, with nothing useful appended, where its exponent has over
// 9 digits.
bool append_canonical_number(std::string& out, std::string_view literal);

// A name or string without its quotes, in canonical form, to be compared with known words; empty
// where it is written in over 128 bytes.
std::string word_of(const JsonReader::Token& text);

}  // namespace aifd::protocol
