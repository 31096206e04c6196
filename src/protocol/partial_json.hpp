// JSON of which only a part is there, or is wanted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aifd::protocol {

// A JSON text that is cut off anywhere, ended so that it is whole: strings that are values keep
// what is there of them, numbers that may go on and members without a value go. Empty where
// nothing is left, or it is nested deeper than 1,024. Of what is no JSON no JSON is made.
std::string completed_json(std::string_view beginning);

// Leaves out what is in the lists of a JSON object's top level, while it comes in pieces, cut
// anywhere. Of what is no JSON anything may be left.
class ListSkimmer {
 public:
  // Appends what is left of the next piece.
  void feed(std::string_view piece, std::string& kept);

 private:
  std::size_t take_string(std::string_view text) noexcept;
  std::size_t take_other(std::string_view text) noexcept;

  std::size_t depth_ = 0;
  bool in_list_ = false;
  bool in_string_ = false;
  bool is_escaped_ = false;  // the next character of a string
};

}  // namespace aifd::protocol
