#include "text_box.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace aifd::config {
namespace {

constexpr std::size_t kWidest = 100;
constexpr std::size_t kWidestLabel = 44;
constexpr std::size_t kFrame = 4;  // "│ " and " │"
constexpr std::size_t kGap = 2;    // between label and value
constexpr std::string_view kReset = "\x1b[0m";

// The bytes of the character that begins here, at least one.
std::size_t character_bytes(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
  return size;
}

struct WideRange {
  std::string_view first;
  std::string_view last;
};

// The blocks of East Asian scripts and of emoji, in UTF-8, whose order is that of the code points.
constexpr std::array kWideRanges{
    WideRange{"\xE1\x84\x80", "\xE1\x85\x9F"},          // Hangul Jamo
    WideRange{"\xE2\xBA\x80", "\xEA\x93\x8F"},          // CJK, Kana, Yi
    WideRange{"\xEA\xB0\x80", "\xED\x9E\xA3"},          // Hangul
    WideRange{"\xEF\xA4\x80", "\xEF\xAB\xBF"},          // CJK compatibility
    WideRange{"\xEF\xB8\xB0", "\xEF\xB9\xAF"},          // CJK compatibility forms
    WideRange{"\xEF\xBC\x80", "\xEF\xBD\xA0"},          // full-width forms
    WideRange{"\xEF\xBF\xA0", "\xEF\xBF\xA6"},          // full-width signs
    WideRange{"\xF0\x9F\x8C\x80", "\xF0\xBF\xBF\xBF"},  // emoji, CJK extensions
};

std::size_t character_width(std::string_view character) {
  const bool wide = std::any_of(
      kWideRanges.begin(), kWideRanges.end(),
      [&](const WideRange& range) { return character >= range.first && character <= range.last; });
  return wide ? 2 : 1;
}

std::string cut(std::string_view text, std::size_t columns) {
  constexpr std::string_view kDots = "...";
  if (display_width(text) <= columns) return std::string(text);
  std::string result;
  std::size_t used = kDots.size();
  while (!text.empty()) {
    const std::string_view character = text.substr(0, character_bytes(text));
    used += character_width(character);
    if (used > columns) break;
    result += character;
    text.remove_prefix(character.size());
  }
  return result.append(kDots);
}

std::string clean(std::string_view text) {
  std::string result(text);
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return result;
}

std::string pad(std::string text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return width < columns ? text.append(columns - width, ' ') : text;
}

std::string line(std::size_t columns) {
  std::string result;
  for (std::size_t i = 0; i < columns; ++i) result += "─";
  return result;
}

std::string start(const Colour& colour) {
  return "\x1b[38;2;" + std::to_string(colour.red) + ';' + std::to_string(colour.green) + ';' +
         std::to_string(colour.blue) + 'm';
}

struct Columns {
  std::size_t label = 0;
  std::size_t value = 0;
  std::size_t inside() const { return label + kGap + value; }
};

Columns columns_of(const Box& box) {
  Columns columns;
  for (const BoxRow& row : box.rows) {
    columns.label = std::max(columns.label, display_width(row.label));
    columns.value = std::max(columns.value, display_width(row.value));
  }
  columns.label = std::min(columns.label, kWidestLabel);
  columns.value = std::max(columns.value, display_width(box.title));
  columns.value = std::min(columns.value, kWidest - kFrame - kGap - columns.label);
  return columns;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    width += character_width(text.substr(0, size));
    text.remove_prefix(size);
  }
  return width;
}

std::string draw_box(const Box& box) {
  const Columns columns = columns_of(box);
  const std::string title = cut(clean(box.title), columns.inside() - 2);
  std::string text =
      "╭─ " + title + ' ' + line(columns.inside() - display_width(title) - 1) + "╮\n";
  for (const BoxRow& row : box.rows) {
    text += "│ ";
    text += start(row.colour);
    text += pad(cut(clean(row.label), columns.label), columns.label + kGap);
    text += pad(cut(clean(row.value), columns.value), columns.value);
    text += kReset;
    text += " │\n";
  }
  return text + "╰" + line(columns.inside() + 2) + "╯\n";
}

std::string plain_box(const Box& box) {
  std::string text = cut(clean(box.title), kWidest) + "\n";
  for (const BoxRow& row : box.rows) {
    if (row.label.empty() && row.value.empty()) continue;
    text += cut(clean(row.label + ": " + row.value), kWidest) + "\n";
  }
  return text;
}

}  // namespace aifd::config
