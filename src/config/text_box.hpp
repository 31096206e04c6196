// Titled boxes of names and values, for a terminal or for a log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aifd::config {

struct Colour {
  int red = 255;
  int green = 255;
  int blue = 255;
};

struct BoxRow {
  std::string label;  // with an empty label and value: a gap
  std::string value;
  Colour colour;
};

struct Box {
  std::string title;
  std::vector<BoxRow> rows;
};

// Box-drawing characters and colours; 100 columns at most.
std::string draw_box(const Box& box);

// The title, then "label: value" lines.
std::string plain_box(const Box& box);

// Columns that UTF-8 text takes in a terminal, wide characters counting twice.
std::size_t display_width(std::string_view text);

}  // namespace aifd::config
